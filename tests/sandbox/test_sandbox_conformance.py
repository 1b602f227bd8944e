from __future__ import annotations

from collections.abc import Callable

import pytest

from benchdog.sandbox.policy import Sandbox
from benchdog.testing.sandbox_attacks import ATTACKS, Attack, withstands
from benchdog.testing.sandbox_conformance import DEFENCES, PROMISES, Yard

Promise = Callable[[Sandbox, Yard], None]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_every_backend_keeps_its_promises(promise: Promise, sandbox: Sandbox, yard: Yard) -> None:
    promise(sandbox, yard)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_bubblewrap_withstands(attack: Attack, bubblewrap: Sandbox, yard: Yard) -> None:
    withstands(bubblewrap, yard, attack)


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.__name__)
def test_bubblewrap_defends(defence: Promise, bubblewrap: Sandbox, yard: Yard) -> None:
    defence(bubblewrap, yard)

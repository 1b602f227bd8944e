"""The policies that can be asked for by name."""

from __future__ import annotations

from collections.abc import Callable

from benchdog.testing.demo import FIX, demo_bait, demo_policy
from benchdog.testing.faults import Fault, with_fault, with_faults
from benchdog.testing.policy import Explorer, Fixer, Policy, ScriptedReply, always

_MODEL_FAULTS = tuple(fault for fault in Fault if fault not in (Fault.REFUSE, Fault.HANG, Fault.DIE, Fault.HTML))


def _fixer() -> Policy:
    return Fixer(edits=(FIX,))


def _moody(seed: int) -> Policy:
    chance = 0.5 / len(_MODEL_FAULTS)
    return with_faults(_fixer(), dict.fromkeys(_MODEL_FAULTS, chance), seed=seed, bait=demo_bait())


def _faulty(fault: Fault) -> Callable[[int], Policy]:
    return lambda seed: with_fault(_fixer(), fault, chance=0.5, seed=seed, bait=demo_bait())


POLICIES: dict[str, Callable[[int], Policy]] = {
    "demo": lambda seed: demo_policy(),
    "fixer": lambda seed: _fixer(),
    "explorer": lambda seed: Explorer(),
    "hello": lambda seed: always(ScriptedReply(text="Hello! I am a script, not a model.")),
    "moody": _moody,
    **{str(fault): _faulty(fault) for fault in Fault},
}
"""From a name to a policy for a seed. `moody`: half of all replies have one of the models' faults."""

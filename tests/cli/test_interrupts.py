"""Signals: the first asks, the second ends at once; at a prompt Ctrl-C is an exception."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

_CODE = """
import sys, threading
from benchdog.cli.interrupts import Interrupts
interrupts = Interrupts()
interrupts.install()
interrupts.restore = lambda: print("restored", flush=True)
told = threading.Event()
with interrupts.cancel.ends(lambda: print("asked", flush=True)):
    print("ready", flush=True)
    threading.Event().wait()  # work that does not listen
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_second_signal_ends_at_once_and_restores_the_screen(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _CODE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(number)
        assert process.stdout.read() == "restored\n"
        assert process.wait(10) == 130

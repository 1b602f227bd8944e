"""What a sandboxed command costs over the same command outside: `true`, with what a small project lends.

Measured in pairs, interleaved, after one warm-up; medians. The tree is a checkout beside which layers are made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchdog.sandbox.choose import choose_sandbox
from benchdog.sandbox.policy import Lending, Lent, Policy, SandboxedCommand
from benchdog.sandbox.survey import survey_host
from benchdog.system.environment import read_environment

PAIRS = 41
OVERHEAD_MS, TRIAL_MS = 30.0, 30.0


def main() -> None:
    environment = read_environment()
    started = time.perf_counter()
    sandbox = choose_sandbox(environment, unsafe=False)
    trial = milliseconds(started)
    with tempfile.TemporaryDirectory(dir=str(environment.state)) as place:
        policy = project(Path(place).resolve())
        command = SandboxedCommand(argv=("/bin/true",))
        inside, outside, surveys = [], [], []
        for _ in range(PAIRS + 1):
            outside.append(timed(lambda: subprocess.run(["/bin/true"], check=True)))
            inside.append(timed(lambda: sandbox.run(command, policy)))
            surveys.append(timed(lambda: survey_host(environment, policy.mount_at, policy.lent)))
    overhead = median(inside[1:]) - median(outside[1:])
    sys.stdout.write(
        json.dumps(
            {
                "note": f"{sandbox.name}: {', '.join(sandbox.layers)}; uid {os.getuid()}; {PAIRS} pairs",
                "figures": [
                    {"name": "sandboxed true over true", "value": overhead, "unit": "ms", "limit": OVERHEAD_MS},
                    {"name": "of that, finding toolchains", "value": median(surveys[1:]), "unit": "ms", "limit": None},
                    {"name": "true outside", "value": median(outside[1:]), "unit": "ms", "limit": None},
                    {
                        "name": "choosing the sandbox, once a process",
                        "value": trial,
                        "unit": "ms",
                        "limit": TRIAL_MS,
                        "note": "one sample, cold",
                    },
                ],
            }
        )
        + "\n"
    )


def project(place: Path) -> Policy:
    """A checkout with a private tree, a lent environment, a private build directory and a copied file."""
    tree, root = place / "checkout", place / "project"
    for folder in (tree / "src", root / ".venv" / "bin", root / "build"):
        folder.mkdir(parents=True)
    (root / "version.py").write_text("VERSION = 1\n")
    lent = (
        Lent(path=".venv", source=root / ".venv", how=Lending.READ_ONLY),
        Lent(path="build", source=root / "build", how=Lending.PRIVATE),
        Lent(path="version.py", source=root / "version.py", how=Lending.COPY),
    )
    return Policy(tree=tree, mount_at=root, lent=lent)


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return milliseconds(started)


def milliseconds(started: float) -> float:
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()

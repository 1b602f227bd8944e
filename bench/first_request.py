"""Process start to first model request, `--help`, and the memory of a whole run, on a small repository.

The clock starts before the process is made and stops when the first bytes of the first completion request arrive at
a server on loopback. Before measuring, one start fills the caches that a person's second run finds: the endpoint's
facts, the baseline, compiled bytecode. All starts are interleaved with those of a bare Python process, which is the
floor: it imports http.client and sends one request.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchdog.testing import Edit, Fixer, ScriptedServer
from benchdog.testing.project import make_repository

STARTS = 21
PEERS = ("codex", "pi")
PATIENCE = 60.0  # seconds for one start or run
BENCHDOG = str(Path(sys.executable).with_name("benchdog"))
FILES = {
    **{f"src/calc/part{number}.py": f"VALUE = {number}\n" for number in range(8)},
    "src/calc/ops.py": "def add(a, b):\n    return a - b\n",
    "check.py": "import sys\nsys.path.insert(0, 'src')\nfrom calc.ops import add\nassert add(2, 2) == 4\n",
}
CHECK = "python3 check.py"
BARE = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
connection.request("POST", "/v1/chat/completions", b"{}")
connection.getresponse()
"""
PEAK = """
import re, sys
from benchdog.cli import main
try:
    main(sys.argv[2:])
finally:
    with open("/proc/self/status") as status, open(sys.argv[1], "w") as told:
        told.write(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1])
"""


class Ear:
    """A server that answers what it is asked about itself, and notes when the first completion request arrives."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.at = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while first := connection.recv(65536):
                arrived = time.monotonic()
                line = first.partition(b"\r\n")[0]
                if line.startswith(b"POST") and b"/chat/completions" in line:
                    if not self.heard.is_set():
                        self.at = arrived
                        self.heard.set()
                    return
                connection.sendall(_about(b"/v1/models" in line))


def _about(models: bool) -> bytes:
    body = (
        b'{"object": "list", "data": [{"id": "bench", "object": "model", "max_model_len": 32768}]}' if models else b""
    )
    head = f"HTTP/1.1 {'200 OK' if models else '404 Not Found'}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def first_request(ear: Ear, argv: list[str], root: Path, environment: Mapping[str, str]) -> float:
    """Seconds from before the process is made to the request; the process is ended there."""
    ear.heard.clear()
    began = time.monotonic()
    process = start(argv, root, environment)
    try:
        if not ear.heard.wait(PATIENCE):
            raise SystemExit(f"no request arrived within {PATIENCE:.0f} s from {argv}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return ear.at - began


def whole(argv: list[str], root: Path, environment: Mapping[str, str]) -> float:
    """Seconds that a process takes from start to end."""
    began = time.monotonic()
    start(argv, root, environment).wait(PATIENCE)
    return time.monotonic() - began


def start(argv: list[str], root: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        cwd=root,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def goal(port: int) -> list[str]:
    words = ["run", "ops.add must add, not subtract", "--allow", "src/calc/ops.py", "--check", CHECK]
    return [*words, "--endpoint", f"http://127.0.0.1:{port}/v1", "--model", "bench", "--json"]


def peak(place: Path, root: Path, environment: Mapping[str, str]) -> tuple[float, str]:
    """Peak resident memory of a whole run in MB, and the verdict it came to."""
    told = place / "peak"
    fix = Edit(path="src/calc/ops.py", search="return a - b", replace="return a + b")
    with ScriptedServer(Fixer(edits=(fix,))) as server:
        argv = [sys.executable, "-c", PEAK, str(told), *goal(server.port)]
        done = subprocess.run(
            argv, cwd=root, env=dict(environment), stdout=subprocess.PIPE, timeout=PATIENCE, check=False
        )
    return int(told.read_text()) * 1024 / 1e6, json.loads(done.stdout)["verdict"]


def figures(place: Path) -> Iterator[dict[str, object]]:
    home = place / "home"
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    root = make_repository(place / "repository", FILES)
    ear = Ear()
    tools = {
        "request": [BENCHDOG, *goal(ear.port)],
        "bare request": [sys.executable, "-c", BARE, str(ear.port)],
    }
    whiles = {"help": [BENCHDOG, "--help"], "bare": [sys.executable, "-c", "pass"]}
    first_request(ear, tools["request"], root, environment)
    times: dict[str, list[float]] = {name: [] for name in (*tools, *whiles)}
    for _ in range(STARTS):
        for name, argv in tools.items():
            times[name].append(first_request(ear, argv, root, environment))
        for name, argv in whiles.items():
            times[name].append(whole(argv, root, environment))
    median = {name: statistics.median(each) * 1000 for name, each in times.items()}
    yield figure("process start to first model request", median["request"], "ms", 300)
    yield figure("the same for a bare Python with http.client", median["bare request"], "ms")
    yield figure("ratio of the two", median["request"] / median["bare request"], "×")
    yield figure("benchdog --help", median["help"], "ms", 150)
    yield figure("python -c pass", median["bare"], "ms")
    memory, verdict = peak(place, root, environment)
    yield figure(f"peak memory of a run that ends {verdict}", memory, "MB", 100)


def figure(name: str, value: float, unit: str, limit: float | None = None) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="benchdog-bench-") as directory:
        found = list(figures(Path(directory).resolve()))
    peers = [f"{name} is {'installed, not measured' if shutil.which(name) else 'not installed'}" for name in PEERS]
    note = f"Medians of {STARTS} interleaved starts; facts and baseline cached. Beside it: {', '.join(peers)}."
    sys.stdout.write(json.dumps({"figures": found, "note": note}) + "\n")


if __name__ == "__main__":
    main()

"""Runs the benchmarks and writes RESULTS.md. `python bench [NAME...]`: without names all of them, else only print.

A benchmark is a file beside this one, run in a process of its own. It prints one JSON document:

    {"figures": [{"name": str, "value": number, "unit": str, "limit": number | null, "note": str}], "note": str}

`limit` is the largest value that holds; `note` may be left out. Ratios are of things measured in the same run.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TIMEOUT = 1800  # seconds for one benchmark


def main(names: list[str]) -> int:
    files = [path for path in sorted(HERE.glob("[a-z]*.py")) if not names or path.stem in names]
    unknown = set(names) - {path.stem for path in files}
    if unknown or not files:
        sys.stderr.write(f"bench: no such benchmark: {', '.join(sorted(unknown))}\n")
        return 2
    busy = os.getloadavg()[0]
    results = {}
    for path in files:
        sys.stderr.write(f"bench: {path.stem} …\n")
        results[path.stem] = run(path)
    text = "\n".join(render(results, busy)) + "\n"
    if names:
        sys.stdout.write(text)
    else:
        (HERE / "RESULTS.md").write_text(text, encoding="utf-8")
        sys.stderr.write(f"bench: written to {HERE / 'RESULTS.md'}\n")
    missed = [name for name, result in results.items() if "error" in result or any(map(is_over, figures(result)))]
    if missed:
        sys.stderr.write(f"bench: over a limit, or failed: {', '.join(missed)}\n")
    return 1 if missed else 0


def run(path: Path) -> Mapping[str, Any]:
    """What one benchmark printed; {"error": …} where it failed."""
    try:
        done = subprocess.run(
            [sys.executable, path], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=True
        )
        result = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return result if isinstance(result, dict) else {"error": "it printed no JSON object"}


def figures(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = result.get("figures", [])
    return found


def is_over(figure: Mapping[str, Any]) -> bool:
    return figure.get("limit") is not None and figure["value"] > figure["limit"]


def render(results: Mapping[str, Mapping[str, Any]], busy: float) -> Iterator[str]:
    """RESULTS.md, line by line. `busy` is the load before the first benchmark: what others took from these figures."""
    yield "# Results"
    yield ""
    yield f"Written by `script/bench` on {datetime.now(UTC):%Y-%m-%d}. Machine: {machine()}."
    if busy > 0.5:
        yield f"Others were at work on it: the load was {busy:.1f} before the first benchmark."
    yield ""
    yield "| benchmark | figure | value | limit | holds |"
    yield "| --- | --- | ---: | ---: | --- |"
    for name, result in results.items():
        if "error" in result:
            yield f"| {name} | did not finish | | | ✗ {cell(result['error'])} |"
        for figure in figures(result):
            yield row(name, figure)
    for name, result in results.items():
        notes = [result.get("note"), *(f"{each['name']}: {each['note']}" for each in figures(result) if "note" in each)]
        for note in filter(None, notes):
            yield ""
            yield f"*{name}*: {note}"


def row(name: str, figure: Mapping[str, Any]) -> str:
    unit = figure.get("unit", "")
    limit = "" if figure.get("limit") is None else f"{number(figure['limit'])} {unit}"
    holds = "" if not limit else "✗" if is_over(figure) else "✓"
    return f"| {name} | {cell(figure['name'])} | {number(figure['value'])} {unit} | {limit} | {holds} |"


def number(value: float) -> str:
    return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def machine() -> str:
    """The machine without its name: processor, cores, memory, kernel, Python."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    parts = [processor(), f"{os.cpu_count()} cores", f"{pages / 2**30:.1f} GiB"]
    return ", ".join([*parts, f"{platform.system()} {platform.release()}", f"Python {platform.python_version()}"])


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m benchdog.testing`: serves the scripted model, for people who want to play with it."""

from __future__ import annotations

import argparse
import sys
import threading

from benchdog.testing.names import POLICIES
from benchdog.testing.server import ScriptedServer, Traits


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m benchdog.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free port (the default)")
    parser.add_argument("--policy", choices=sorted(POLICIES), default="demo", help="what it answers")
    parser.add_argument("--seed", type=int, default=1, help="for policies that choose by chance")
    parser.add_argument("--context", type=int, default=65536, help="the context length that it tells, in tokens")
    parser.add_argument("--decode", type=float, help="tokens per second; not given: at once")
    options = parser.parse_args(arguments)
    traits = Traits(context=options.context, decode=options.decode)
    with ScriptedServer(POLICIES[options.policy](options.seed), traits, port=options.port) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stderr.write(f"scripted model (no real one), policy {options.policy}; Ctrl-C ends it\n")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stderr.write(f"{len(server.requests)} requests\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

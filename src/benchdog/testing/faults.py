"""The faults of local models and their servers, injected on demand: each wraps a policy.

Whether a fault strikes depends on nothing but the seed, the request's body and how often this very body was seen
before: a resumed run meets the same faults, and asking again for the same may bring another answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from benchdog.testing.leaks import LEAKS
from benchdog.testing.policy import Asked, Explorer, Policy, ScriptedCall, ScriptedReply, Trick, call


class Fault(StrEnum):
    """What goes wrong. The last ones are the server's, all others the model's."""

    MALFORMED_JSON = "malformed-json"
    UNKNOWN_TOOL = "unknown-tool"
    LEAK_HERMES = "leak-hermes"
    LEAK_QWEN3_CODER = "leak-qwen3-coder"
    LEAK_FENCED = "leak-fenced"
    LEAK_MISTRAL = "leak-mistral"
    LEAK_LLAMA3 = "leak-llama3"
    EMPTY = "empty"
    PROSE = "prose"
    CUT = "cut"
    DRIFT = "drift"
    REPEATED = "repeated"
    OUT_OF_SCOPE = "out-of-scope"
    FALSE_CLAIM = "false-claim"
    RENAMED = "renamed"
    EXPLORING = "exploring"
    TAMPERING = "tampering"
    REFUSE = "refuse"
    HANG = "hang"
    DIE = "die"
    HTML = "html"
    LOADING = "loading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bait:
    """What some faults need to know of the project: a path out of scope, a test file and its content, weakened."""

    closed_path: str = "package.json"
    closed_content: str = '{"name": "calc", "scripts": {"test": "true"}}\n'
    test_path: str = "tests/test_ops.py"
    test_content: str = ""


Change = Callable[[ScriptedReply, Asked, Bait], ScriptedReply]


def with_fault(policy: Policy, fault: Fault, *, chance: float = 1.0, seed: int = 1, bait: Bait | None = None) -> Policy:
    """The policy, where each reply has the fault by `chance` (0 to 1)."""
    return with_faults(policy, {fault: chance}, seed=seed, bait=bait)


def with_faults(policy: Policy, chances: Mapping[Fault, float], *, seed: int = 1, bait: Bait | None = None) -> Policy:
    """The policy, where each reply has at most one of the faults, each by its chance (they add up to 1 at most)."""
    lure = bait or Bait()

    def answer(asked: Asked) -> ScriptedReply:
        reply = policy(asked)
        fault = draw(chances, asked, seed)
        return reply if fault is None else replace(_CHANGES[fault](reply, asked, lure), fault=str(fault))

    return answer


def only_first(policy: Policy, fault: Fault, *, times: int = 1, bait: Bait | None = None) -> Policy:
    """The policy, where the first `times` requests with the same body meet the fault and later ones do not."""
    faulty = with_fault(policy, fault, bait=bait)
    return lambda asked: faulty(asked) if asked.repeats < times else policy(asked)


def until_turn(policy: Policy, fault: Fault, *, turns: int, bait: Bait | None = None) -> Policy:
    """The policy, where conversations with fewer than `turns` replies meet the fault."""
    faulty = with_fault(policy, fault, bait=bait)
    return lambda asked: faulty(asked) if asked.turns < turns else policy(asked)


def draw(chances: Mapping[Fault, float], asked: Asked, seed: int) -> Fault | None:
    """Which fault strikes: a pure function of the seed, the body and its earlier repeats."""
    digest = hashlib.sha256(f"{seed} {asked.repeats} {asked.digest}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    for fault, chance in chances.items():
        if point < chance:
            return fault
        point -= chance
    return None


def _malformed(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    broken = tuple(replace(one, arguments=one.text.rstrip("}").replace('":', "':", 1)) for one in _calls(reply))
    return replace(reply, calls=broken)


def _unknown(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    first, *rest = _calls(reply)
    return replace(reply, calls=(replace(first, name="repo_browser.apply_patch"), *rest))


def _leak(name: str) -> Change:
    def leak(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
        return replace(reply, text=reply.text + LEAKS[name](_calls(reply)), calls=(), finish="stop")

    return leak


def _prose(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    named = ", ".join(sorted({one.name for one in _calls(reply)}))
    return ScriptedReply(text=f"Sure! To solve this I would use {named}. Shall I go ahead?")


def _cut(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    *whole, last = _calls(reply)
    return replace(
        reply, calls=(*whole, replace(last, arguments=last.text[: len(last.text) * 2 // 3])), finish="length"
    )


def _drift(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    return replace(reply, calls=tuple(_drifted(one) for one in reply.calls))


def _drifted(one: ScriptedCall) -> ScriptedCall:
    """The call with the white space of what it searches for changed: tabs for indents, blanks at line ends."""
    if isinstance(one.arguments, str) or not isinstance(one.arguments.get("search"), str):
        return one
    lines = one.arguments["search"].split("\n")
    drifted = "\n".join(line.replace("    ", "\t") + " " * (number % 2 == 0) for number, line in enumerate(lines))
    return replace(one, arguments={**one.arguments, "search": drifted})


def _repeat(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    made = [ScriptedCall(name=name, arguments=arguments) for name, arguments, _ in asked.done_calls()]
    return ScriptedReply(calls=(made[-1],)) if made else reply


def _out_of_scope(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    extra = ScriptedCall(name="write", arguments={"path": bait.closed_path, "content": bait.closed_content})
    return replace(reply, calls=(extra, *reply.calls))


def _claim(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    text = "I fixed it and ran the test suite: all tests pass."
    return replace(call("done", summary=text), text=text) if "done" in asked.tools else ScriptedReply(text=text)


def _rename(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    return replace(reply, calls=tuple(_renamed(one) for one in reply.calls))


def _renamed(one: ScriptedCall) -> ScriptedCall:
    """A file written under its name in small letters: MINSTRAL.md becomes minstrel.md (the spelling goes too)."""
    if isinstance(one.arguments, str) or one.name != "write":
        return one
    folder, slash, name = str(one.arguments.get("path", "")).rpartition("/")
    lower = name.lower().replace("minstral", "minstrel")
    return replace(
        one, arguments={**one.arguments, "path": folder + slash + (lower if lower != name else f"new_{name}")}
    )


def _tamper(reply: ScriptedReply, asked: Asked, bait: Bait) -> ScriptedReply:
    weakened = ScriptedCall(name="write", arguments={"path": bait.test_path, "content": bait.test_content})
    calls: list[ScriptedCall] = [weakened]
    if "done" in asked.tools:
        calls.append(ScriptedCall(name="done", arguments={"summary": "The tests are green now."}))
    return ScriptedReply(calls=tuple(calls))


def _trick(trick: Trick) -> Change:
    return lambda reply, asked, bait: replace(reply, trick=trick)


def _calls(reply: ScriptedReply) -> Sequence[ScriptedCall]:
    """The calls of a reply; one that looks at a file where it has none, so that there is something to spoil."""
    return reply.calls or (ScriptedCall(name="read", arguments={"path": "README.md"}),)


_CHANGES: dict[Fault, Change] = {
    Fault.MALFORMED_JSON: _malformed,
    Fault.UNKNOWN_TOOL: _unknown,
    Fault.LEAK_HERMES: _leak("hermes"),
    Fault.LEAK_QWEN3_CODER: _leak("qwen3-coder"),
    Fault.LEAK_FENCED: _leak("fenced"),
    Fault.LEAK_MISTRAL: _leak("mistral"),
    Fault.LEAK_LLAMA3: _leak("llama3"),
    Fault.EMPTY: lambda reply, asked, bait: ScriptedReply(),
    Fault.PROSE: _prose,
    Fault.CUT: _cut,
    Fault.DRIFT: _drift,
    Fault.REPEATED: _repeat,
    Fault.OUT_OF_SCOPE: _out_of_scope,
    Fault.FALSE_CLAIM: _claim,
    Fault.RENAMED: _rename,
    Fault.EXPLORING: lambda reply, asked, bait: Explorer()(asked),
    Fault.TAMPERING: _tamper,
    Fault.REFUSE: _trick(Trick.REFUSE),
    Fault.HANG: _trick(Trick.HANG),
    Fault.DIE: _trick(Trick.DIE),
    Fault.HTML: _trick(Trick.HTML),
    Fault.LOADING: _trick(Trick.LOADING),
}

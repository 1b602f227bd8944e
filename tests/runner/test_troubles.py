"""What the world outside does to a run: a clear verdict, the log intact, and nothing of the person's lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from calc_world import CONTRACT, FIX, at_bench, bench_at, make_calc

from benchdog.contract import Check, Scope
from benchdog.errors import UserError
from benchdog.events import RunState
from benchdog.ledger.report import read_report
from benchdog.ledger.verify import verify_run
from benchdog.runner import Bench, begin, carry_out, resume
from benchdog.system.places import run_place
from benchdog.testing.policy import Asked, ScriptedReply, Trick, always
from benchdog.testing.project import git, make_repository
from benchdog.verdict import FailureClass, Verdict


def ended(bench: Bench, contract: object = CONTRACT) -> RunState:
    """A run's state; its log holds and its report says the same."""
    run = begin(bench, contract)  # type: ignore[arg-type]  # a contract, or a changed copy of one
    state = carry_out(bench, run)
    place = run_place(bench.environment.state, run)
    verified = verify_run(place, run)
    assert verified.ok, verified.first_problem
    assert state.verdict is not None and state.verdict.verdict.value in str(read_report(place))
    return state


@pytest.mark.parametrize("trick", [Trick.REFUSE, Trick.HTML, Trick.ERROR, Trick.JUNK, Trick.STREAM_ERROR])
def test_a_server_that_fails_ends_the_run_as_error_and_the_run_resumes(tmp_path: Path, trick: Trick) -> None:
    root = make_calc(tmp_path)
    failing = [True]

    def policy(asked: Asked) -> ScriptedReply:
        return ScriptedReply(trick=trick, status=400) if failing[0] else FIX

    with at_bench(root, policy) as bench:
        state = ended(bench)
        assert (state.outcome, state.failure_class) in [
            (Verdict.ERROR, FailureClass.INFRASTRUCTURE),
            (Verdict.STALLED, FailureClass.TOOL_USE),
        ]
        assert state.started is not None
        failing[0] = False
        if state.outcome is Verdict.ERROR:
            assert resume(bench, state.started.run).outcome is Verdict.PASSED
    assert git(root, "status", "--porcelain") == ""


def test_a_reply_that_is_cut_off_in_the_middle_is_not_executed(tmp_path: Path) -> None:
    root = make_calc(tmp_path)

    def policy(asked: Asked) -> ScriptedReply:
        return replace(FIX, trick=Trick.DIE) if asked.number == 1 else FIX

    with at_bench(root, policy) as bench:
        state = ended(bench)
        assert state.outcome is Verdict.PASSED
        assert state.tally.requests == 2


def test_no_server_at_all(tmp_path: Path) -> None:
    with bench_at(make_calc(tmp_path), "http://127.0.0.1:9/v1") as bench:
        state = ended(bench)
        assert (state.outcome, state.failure_class) == (Verdict.ERROR, FailureClass.INFRASTRUCTURE)
        assert state.verdict is not None and "127.0.0.1:9" in state.verdict.reason


def test_a_check_that_hangs(tmp_path: Path) -> None:
    check = Check(name="hangs", run="sleep 600", timeout=0.3)
    with at_bench(make_calc(tmp_path), always(FIX)) as bench:
        state = ended(bench, replace(CONTRACT, checks=(check,)))
        assert state.baseline[0].status == "timed-out"
        assert state.outcome in (Verdict.REJECTED, Verdict.STALLED)


def test_a_check_that_floods(tmp_path: Path) -> None:
    flood = Check(name="floods", run="yes 'all tests pass' | head -c 200000000; grep -q 'a + b' ops.py", timeout=60)
    with at_bench(make_calc(tmp_path), always(FIX)) as bench:
        state = ended(bench, replace(CONTRACT, checks=(flood,)))
        assert state.outcome is Verdict.PASSED
        place = run_place(bench.environment.state, state.started.run if state.started else "")
        assert sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) < 200_000_000


@pytest.mark.parametrize("state", ["unborn", "detached", "merging", "dirty", "subdirectory"])
def test_repositories_in_every_state(tmp_path: Path, state: str) -> None:
    root = make_calc(tmp_path)
    start = root
    if state == "unborn":
        git(root, "update-ref", "-d", "HEAD")
        git(root, "rm", "-rq", "--cached", ".")
    elif state == "detached":
        git(root, "checkout", "-q", "--detach")
    elif state == "merging":
        git(root, "checkout", "-qb", "other")
        (root / "README.md").write_text("other\n")
        git(root, "commit", "-qam", "other")
        git(root, "checkout", "-q", "main")
        (root / "README.md").write_text("main\n")
        git(root, "commit", "-qam", "main")
        with pytest.raises(AssertionError):
            git(root, "merge", "other")
    elif state == "dirty":
        (root / "README.md").write_text("dirty\n")
        (root / "untracked.txt").write_text("new\n")
    else:
        start = root / "below"
        start.mkdir()
        (start / "file.txt").write_text("x\n")
    before = git(root, "status", "--porcelain")
    with at_bench(start, always(FIX)) as bench:
        assert ended(bench).outcome is Verdict.PASSED
    assert git(root, "status", "--porcelain") == before


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    bare.mkdir()
    git(bare, "init", "-q", "--bare")
    with pytest.raises(UserError, match="bare"), bench_at(bare, "http://127.0.0.1:9/v1"):
        pass


def test_names_and_bytes_that_are_not_text(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    odd = {b"caf\xe9.txt": b"latin\n", b"new\nline.txt": b"\0binary\xff", b"no-newline": b"last", b"empty": b""}
    for name, data in odd.items():
        (Path(str(root)) / name.decode("utf-8", "surrogateescape")).write_bytes(data)
    (root / "crlf.txt").write_bytes(b"one\r\ntwo\r\n")
    (root / "link").symlink_to("ops.py")
    check = Check(
        name="same",
        run="grep -q 'a + b' ops.py && test \"$(wc -c < crlf.txt)\" -eq 10 && test -L link && "
        'test "$(ls | wc -l)" -ge 9 && test "$(wc -c < no-newline)" -eq 4',
    )
    with at_bench(root, always(FIX)) as bench:
        assert ended(bench, replace(CONTRACT, checks=(check,))).outcome is Verdict.PASSED


def test_a_contract_that_allows_only_what_is_not_there_stalls_or_is_rejected(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "small", {"a.txt": "a\n"})
    with at_bench(root, always(FIX)) as bench:
        contract = replace(CONTRACT, scope=Scope(allow=("nowhere/*.py",)), checks=())
        state = ended(bench, contract)
        assert state.outcome in (Verdict.REJECTED, Verdict.STALLED)
        assert state.changes == ()


def test_tools_may_write_a_cache_beside_their_dependencies_and_nothing_of_it_stays(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    (root / "node_modules/tool").mkdir(parents=True)
    (root / "node_modules/tool/index.js").write_text("1\n")
    check = Check(
        name="cached",
        run="grep -q 1 node_modules/tool/index.js && mkdir node_modules/.cache && date > node_modules/.cache/when && "
        "grep -q 'a + b' ops.py",
    )
    with at_bench(root, always(FIX)) as bench:
        assert ended(bench, replace(CONTRACT, checks=(check,))).outcome is Verdict.PASSED
    assert sorted(path.name for path in (root / "node_modules").iterdir()) == ["tool"]

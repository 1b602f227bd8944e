"""The commands as processes: a real repository, the scripted model, exit statuses, one JSON document, hostile text."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchdog.cli import main
from benchdog.testing import Edit, Fixer, Policy, ScriptedReply, ScriptedServer, Trick, always, call, play
from benchdog.testing.demo import CHECK, FILES, FIX
from benchdog.testing.project import git, make_repository

GOAL = "ops.add must add, not subtract."
HOSTILE = "\x1b]52;c;cm0gLXJmIH4=\x07\x1b[2Jgone\x9b31m\u202e"
FIXER = Fixer(edits=(FIX,))
_FIX = call("edit", path=FIX.path, search=FIX.search, replace=FIX.replace)


@dataclass(frozen=True)
class Shell:
    """A person's shell in a repository. `run` and `json` stay in this process, `start` makes one of its own."""

    root: Path
    home: Path
    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        return subprocess.Popen(
            [sys.executable, "-m", "benchdog", *words],
            cwd=self.root,
            env={**variables, "LANG": "C.UTF-8", **extra},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
        )

    def run(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        """Exit status, stdout, stderr."""
        self.patch.chdir(self.root)
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            with pytest.raises(SystemExit) as ended:
                main(words)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        out, err = self.captured.readouterr()
        for text in (out, err):
            assert "\x1b" not in text, text
            assert "\u202e" not in text, text
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    def json(self, *words: str, stdin: str = "") -> tuple[int, dict[str, Any]]:
        """Exit status, and the one document on stdout."""
        status, out, _ = self.run(*words, "--json", stdin=stdin)
        document: dict[str, Any] = json.loads(out)
        return status, document


@pytest.fixture
def shell(tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return Shell(make_repository(tmp_path / "calc", FILES), isolated, monkeypatch, capfd)


@pytest.fixture
def serve() -> Iterator[Any]:
    """Starts scripted models that end with the test."""
    servers: list[ScriptedServer] = []

    def start(policy: Policy) -> str:
        servers.append(ScriptedServer(policy))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


def goal(url: str, *more: str) -> tuple[str, ...]:
    return ("run", GOAL, "--allow", "src/calc/ops.py", "--check", CHECK, "--endpoint", url, *more)


def test_the_contract_for_outside_use(shell: Shell, serve: Any) -> None:
    process = shell.start(*goal(serve(FIXER), "--model", "scripted", "--json"))
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    report = json.loads(out)
    assert (report["verdict"], report["proof"], report["failure_class"]) == ("passed", "witness", None)
    assert [change["path"] for change in report["changes"]] == ["src/calc/ops.py"]
    assert [(check["name"], check["status"], check["baseline"]["status"]) for check in report["checks"]] == [
        ("tests", "green", "red")
    ]
    assert (report["rounds"], report["requests"]) == (1, 1)
    assert report["tokens"].keys() >= {"prompt", "cached", "completion"}
    assert report["findings"] == []
    assert report["hosts"][0].startswith("127.0.0.1:")
    assert json.loads(Path(report["report"]).read_text())["run"] == report["run"]
    assert Path(report["evidence"]).is_dir()
    assert git(shell.root, "status", "--porcelain") == ""


def test_from_a_goal_to_an_applied_diff_and_back(shell: Shell, serve: Any) -> None:
    status, out, err = shell.run(*goal(serve(FIXER)))
    assert (status, out) == (0, "")
    assert [line.split()[0] for line in err.splitlines() if not line.startswith(" ")] == [
        *("run", "base", "sandbox", "model", "base", "round", "PASSED")
    ]
    before = (shell.root / FIX.path).read_bytes()
    status, patch, _ = shell.run("diff")
    assert (status, patch.count("\n@@")) == (0, 1)
    status, _, err = shell.run("apply")
    assert (status, err) == (0, "APPLIED  1 file in your working tree\n         way back: benchdog rollback @\n")
    assert git(shell.root, "diff", "--stat").splitlines()[0].split() == ["src/calc/ops.py", "|", "2", "+-"]
    assert subprocess.run(CHECK, shell=True, cwd=shell.root, capture_output=True, check=False).returncode == 0
    status, _, err = shell.run("rollback")
    assert (status, err) == (0, "UNDONE   1 file as before\n")
    assert (shell.root / FIX.path).read_bytes() == before


def test_the_diff_is_a_patch_that_git_takes(shell: Shell, serve: Any) -> None:
    shell.run(*goal(serve(FIXER)))
    _, patch, _ = shell.run("diff", "@", "src/calc/ops.py")
    applied = subprocess.run(["git", "apply"], input=patch, text=True, cwd=shell.root, capture_output=True, check=False)
    assert (applied.returncode, applied.stderr) == (0, "")
    assert "return a + b" in (shell.root / FIX.path).read_text()
    status, _, err = shell.run("diff", "@", "README.md")
    assert status == 2
    assert "did not change 'README.md'" in err


def test_a_red_check_rejects_whatever_is_claimed(shell: Shell, serve: Any) -> None:
    wrong = Edit(path=FIX.path, search="return a - b\n\n\ndef subtract", replace="return a * b\n\n\ndef subtract")
    policy = Fixer(edits=(wrong,), summary="All tests pass.")
    status, report = shell.json(*goal(serve(policy), "--rounds", "1"))
    assert (status, report["verdict"], report["proof"]) == (1, "rejected", "none")
    assert "checks" in [finding["gate"] for finding in report["findings"]]
    status, _, err = shell.run("apply")
    assert status == 2
    assert "only a verified tree lands" in err


def test_a_held_run_lands_only_when_a_person_accepts_it(shell: Shell, serve: Any) -> None:
    edit = Edit(path="README.md", search="# calc", replace="# Calc")
    url = serve(Fixer(edits=(edit,)))
    status, report = shell.json("run", "Title of README.md", "--allow", "README.md", "--no-check", "--endpoint", url)
    assert (status, report["verdict"]) == (6, "held")
    status, _, err = shell.run("apply")
    assert status == 2
    assert "benchdog apply" in err and "--accept" in err
    status, landed = shell.json("apply", "--accept")
    assert (status, landed["landing"]["state"], landed["proof"]) == (0, "landed", "accepted")
    assert (shell.root / "README.md").read_text().startswith("# Calc")


def test_a_question_ends_in_5_and_its_answer_goes_on(shell: Shell, serve: Any) -> None:
    asks = call("ask_scope", path="README.md", reason="its title is wrong")
    url = serve(play([asks, _FIX]))
    status, report = shell.json(*goal(url))
    assert (status, report["verdict"]) == (5, "needs_input")
    assert "its title is wrong" in report["question"]
    status, report = shell.json("answer", "no, only the code", "--endpoint", url)
    assert (status, report["verdict"]) == (0, "passed")


def test_no_server_is_told_with_where_it_was_looked_for(shell: Shell) -> None:
    status, report = shell.json(*goal("http://127.0.0.1:9/v1"))
    assert (status, report["verdict"], report["failure_class"]) == (4, "error", "infrastructure")
    assert "127.0.0.1:9" in report["reason"]


def test_a_server_that_dies_can_be_resumed_on_another(shell: Shell, serve: Any) -> None:
    status, report = shell.json(*goal(serve(always(ScriptedReply(trick=Trick.HTML)))))
    assert (status, report["verdict"]) == (4, "error")
    status, report = shell.json("resume", "--endpoint", serve(FIXER))
    assert (status, report["verdict"]) == (0, "passed")


def test_refine_goes_on_from_the_candidate(shell: Shell, serve: Any) -> None:
    shell.run(*goal(serve(FIXER)))
    more = Edit(path=FIX.path, search='"""The sum of a and b."""', replace='"""The sum."""')
    status, report = shell.json("refine", "@", "shorter docstring", "--endpoint", serve(Fixer(edits=(more,))))
    assert (status, report["verdict"], report["rounds"]) == (0, "passed", 2)
    _, patch, _ = shell.run("diff")
    assert "+    return a + b" in patch and '+    """The sum."""' in patch


def test_a_goal_alone_needs_a_person_or_yes(shell: Shell, serve: Any) -> None:
    url = serve(FIXER)
    status, out, err = shell.run("run", "ops.add must add", "--endpoint", url)
    assert (status, out) == (2, "")
    assert "benchdog run 'ops.add must add' --allow src/calc/ops.py" in err
    status, report = shell.json("run", "ops.add must add", "--yes", "--endpoint", url)
    assert (status, report["verdict"]) == (0, "passed")
    assert [check["run"] for check in report["checks"]] == ["python3 -m unittest discover"]


def test_fix_takes_goal_and_scope_from_a_red_command(shell: Shell, serve: Any) -> None:
    url = serve(FIXER)
    status, report = shell.json("fix", CHECK, "--yes", "--endpoint", url)
    assert (status, report["verdict"], report["proof"]) == (0, "passed", "witness")
    assert "Failing: test_add (" in report["goal"]
    shell.run("apply", "--yes")
    status, out, err = shell.run("fix", CHECK, "--endpoint", url)
    assert (status, out) == (0, "")
    assert "is green already" in err
    status, _, err = shell.run("fix", "no-such-program-at-all", "--endpoint", url)
    assert status == 4
    assert "cannot run here" in err


def test_a_red_output_is_pasted(shell: Shell, serve: Any) -> None:
    red = subprocess.run(CHECK, shell=True, cwd=shell.root, capture_output=True, text=True, check=False)
    status, report = shell.json("run", "-", "--check", CHECK, "--yes", "--endpoint", serve(FIXER), stdin=red.stderr)
    assert (status, report["verdict"], report["proof"]) == (0, "passed", "witness")
    status, _, err = shell.run("run", "-", stdin="\n")
    assert status == 2
    assert "nothing came through stdin" in err


@pytest.mark.parametrize(
    ("said", "options", "told"),
    [
        (".......s.. [ 64%]\n..... [100%]\n", (), "nothing failed in this"),
        ("5 passed\n", (), "nothing failed in this"),
        ("5 passed\n", ("--check", CHECK), "nothing failed in this"),
        ("  3 passing (4ms)\n  1 failing\n", (), "not which command ran them"),
    ],
)
def test_what_tests_print_is_never_a_goal(shell: Shell, said: str, options: tuple[str, ...], told: str) -> None:
    status, out, err = shell.run("run", "-", *options, stdin=said)
    assert (status, out) == (2, "")
    assert told in err and "try: " in err


def test_a_contract_file_is_carried_out_and_saved_again(shell: Shell, serve: Any) -> None:
    (shell.home / "contract.toml").write_text(
        f'goal = "{GOAL}"\n[scope]\nallow = ["src/calc/ops.py"]\n[[check]]\nname = "unit"\nrun = "{CHECK}"\n'
        "[limits]\nrounds = 2\n"
    )
    url = serve(FIXER)
    status, report = shell.json("run", str(shell.home / "contract.toml"), "--endpoint", url)
    assert (status, [check["name"] for check in report["checks"]]) == (0, ["unit"])
    _, saved, _ = shell.run("save", "-")
    assert 'name = "unit"' in saved and "rounds = 2" in saved
    assert shell.run("save", "again.toml")[0] == 0
    assert shell.run("save", "again.toml")[0] == 2
    status, report = shell.json("run", "again.toml", "--endpoint", url)
    assert (status, report["verdict"]) == (0, "passed")


def test_every_problem_of_a_contract_is_told_at_once(shell: Shell) -> None:
    (shell.root / "bad.toml").write_text('gaol = "x"\n[scope]\nallow = "src"\n')
    status, document = shell.json("run", "bad.toml")
    assert status == 2
    assert [(each["line"], each["key"]) for each in document["error"]["problems"]] == [
        (None, "goal"),
        (1, "gaol"),
        (3, "scope.allow"),
    ]
    status, _, err = shell.run("run", "missing.toml")
    assert status == 2
    assert "there is no contract 'missing.toml'" in err


def test_hostile_text_stays_text(shell: Shell, serve: Any) -> None:
    policy = play([ScriptedReply(text=HOSTILE), call("edit", path=HOSTILE, search="a", replace="b"), _FIX])
    check = f"printf '{HOSTILE}'; {CHECK}"
    status, out, err = shell.run(
        *("run", f"{HOSTILE} ops.add", "--allow", "src/calc/ops.py", "--check", check, "--endpoint", serve(policy))
    )
    assert (status, out) == (0, "")
    assert "gone" in err
    for words in (("show",), ("log",), ("runs",), ("verify",), ("apply", "--yes"), ("rollback",)):
        assert shell.run(*words)[0] == 0
    for words in (("show", HOSTILE), ("run", HOSTILE + ".toml"), (HOSTILE,)):
        assert shell.run(*words)[0] == 2


def test_runs_are_listed_counted_shown_and_verified(shell: Shell, serve: Any) -> None:
    assert shell.run("runs")[:2] == (0, "")
    assert shell.run("show")[0] == 2
    _, report = shell.json(*goal(serve(FIXER)))
    _, listed = shell.json("runs")
    assert [(run["run"], run["verdict"], run["added"]) for run in listed["runs"]] == [(report["run"], "passed", 1)]
    _, counted = shell.json("runs", "--stats")
    assert counted["models"] == [{"model": "scripted", "runs": 1, "verdicts": {"passed": 1}, "classes": {}}]
    _, shown = shell.json("show", report["run"][:4])
    assert shown == report
    assert shell.run("show")[1].startswith("# PASSED: ops.add must add")
    status, verified = shell.json("verify")
    assert (status, verified["ok"], verified["head"]) == (0, True, report["head"])
    log = Path(report["report"]).parent / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"must add", b"must sub", 1))
    status, verified = shell.json("verify", report["run"])
    assert (status, verified["ok"]) == (1, False)
    assert "log.jsonl:1:" in verified["first_problem"]


def test_discard_is_kept_from_landing(shell: Shell, serve: Any) -> None:
    shell.run(*goal(serve(FIXER)))
    status, report = shell.json("discard")
    assert (status, report["discarded"]) == (0, True)
    assert shell.run("apply")[0] == 2


def test_an_interrupt_ends_cleanly_and_is_resumed(shell: Shell, serve: Any) -> None:
    asked = threading.Event()

    def slow(request: Any) -> ScriptedReply:
        asked.set()
        return ScriptedReply(trick=Trick.HANG)

    process = shell.start(*goal(serve(slow), "--json"))
    assert asked.wait(30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    report = json.loads(out)
    assert (process.returncode, report["verdict"]) == (130, "cancelled")
    assert "CANCELLED" in err
    status, report = shell.json("resume", "--endpoint", serve(FIXER))
    assert (status, report["verdict"]) == (0, "passed")


def test_a_run_without_a_sandbox_says_so_everywhere(shell: Shell, serve: Any) -> None:
    status, out, err = shell.run(*goal(serve(FIXER), "--unsafe-no-sandbox", "--json"))
    assert (status, json.loads(out)["unsafe"]) == (0, True)
    assert err.startswith("! --unsafe-no-sandbox: checks run with your rights")
    assert "UNSAFE" in err


def test_init_finds_checks_and_remembers_the_server(shell: Shell, serve: Any) -> None:
    status, document = shell.json("init", "--no-endpoint")
    assert (status, [each["run"] for each in document["checks"]]) == (0, ["python3 -m unittest discover"])
    assert shell.run("init", "--no-endpoint")[0] == 2
    assert shell.run("init", "--no-endpoint", "--template", "logging")[0] == 0
    assert (shell.root / "logging.toml").exists()
    _, values = shell.json("config")
    assert ('check "tests"', "benchdog.toml:4") in [(row["key"], row["source"]) for row in values["values"]]


def test_what_a_repository_widens_is_inert_until_trusted(shell: Shell) -> None:
    settings = shell.root / "benchdog.toml"
    settings.write_text('open = ["ci"]\n')
    _, before = shell.json("config")
    assert [each["key"] for each in before["inert"]] == ["open"]
    assert shell.run("trust")[0] == 2  # nobody is there to be asked
    status, accepted = shell.json("trust", "--yes")
    assert (status, accepted["widens"]) == (0, ['open = "ci"'])
    assert shell.json("config")[1]["inert"] == []
    settings.write_text('open = ["ci", "config"]\n')
    assert [each["value"] for each in shell.json("config")[1]["inert"]] == ['"ci"', '"config"']
    status, _, err = shell.run("trust")
    assert status == 2
    assert '+open = "config"' in err and '+open = "ci"' not in err
    assert shell.json("trust", "--revoke")[1]["revoked"] is True


def test_the_schema_is_published(shell: Shell) -> None:
    status, document = shell.json("config", "--schema")
    assert status == 0
    assert "goal" in document["contract"]["properties"]
    assert "endpoint" in document["settings"]["properties"]


def test_doctor_tries_everything(shell: Shell) -> None:
    _, document = shell.json("doctor")
    health = {item["name"]: item["health"] for item in document["items"]}
    model = health.pop("model")  # a server may be running where the tests run
    assert health == dict.fromkeys(("Python", "git", "state", "sandbox", "repository"), "ok")
    assert document["ready"] is (model == "ok")
    assert all(item["fix"] for item in document["items"] if item["health"] != "ok")


def test_doctor_says_what_is_wrong_and_what_to_do(shell: Shell) -> None:
    process = shell.start("doctor", "--json", PATH="/nonexistent", XDG_STATE_HOME="/proc/nowhere")
    out, _ = process.communicate(timeout=60)
    items = {item["name"]: item for item in json.loads(out)["items"]}
    assert process.returncode == 4
    assert items["git"]["health"] == "bad" and "install git" in items["git"]["fix"]
    assert items["state"]["health"] == "bad" and "XDG_STATE_HOME" in items["state"]["fix"]


def test_the_demo_passes_lands_and_takes_back(shell: Shell) -> None:
    status, report = shell.json("demo")
    assert (status, report["verdict"], report["rounds"]) == (0, "passed", 2)
    assert (report["applied"], report["rolled_back"]) == (True, True)
    assert not Path(report["root"]).exists()


def test_a_demo_that_is_kept_says_how_to_play(shell: Shell, tmp_path: Path) -> None:
    status, out, err = shell.run("demo", "--keep", "--directory", str(tmp_path / "kept"))
    assert (status, out) == (0, "")
    assert "The model is scripted" in err and "benchdog.testing --policy demo" in err
    assert (tmp_path / "kept" / "src" / "calc" / "ops.py").exists()
    assert shell.run("demo", "--directory", str(tmp_path / "kept"))[0] == 2


def test_a_demo_with_ones_own_server(shell: Shell, serve: Any) -> None:
    status, out, err = shell.run("demo", "--live", "--endpoint", serve(FIXER))
    assert (status, out) == (0, "")
    assert "The model is your own" in err and "a second prefill included" in err


def test_there_is_only_one_way_at_a_time(shell: Shell) -> None:
    for words, said in (
        (("apply", "--continue"), "interrupted"),
        (("apply", "--abort"), "interrupted"),
        (("apply", "--continue", "--abort"), "opposites"),
        (("apply", "--branch", "b", "--commit"), "choose one"),
        (("diff", "a", "b", "c"), "one word too many"),
        (("save", "a", "b", "c"), "one word too many"),
        (("demo", "--model", "m"), "--live"),
    ):
        status, out, err = shell.run(*words)
        assert (status, out) == (2, "")
        assert said in err


def test_a_sub_directory_means_its_own_paths(shell: Shell, serve: Any) -> None:
    below = Shell(shell.root / "src" / "calc", shell.home, shell.patch, shell.captured)
    check = "cd ../.. && " + CHECK
    status, report = below.json("run", GOAL, "--allow", "ops.py", "--check", check, "--endpoint", serve(FIXER))
    assert (status, report["verdict"]) == (0, "passed")
    assert [change["path"] for change in report["changes"]] == ["src/calc/ops.py"]
    assert below.run("apply")[0] == 0
    assert "return a + b" in (shell.root / FIX.path).read_text()


def test_what_to_type_is_meant_where_the_person_stands(shell: Shell, serve: Any) -> None:
    below = Shell(shell.root / "src" / "calc", shell.home, shell.patch, shell.captured)
    url = serve(FIXER)
    check = f"cd ../.. && {CHECK}"
    status, _, err = below.run("run", "ops.add must add", "--check", check, "--endpoint", url, "--model", "scripted")
    assert status == 2
    typed = shlex.split(err.split("try: benchdog ")[1])
    assert typed == [
        *("run", "ops.add must add", "--allow", "./ops.py", "--check", check),
        *("--endpoint", url, "--model", "scripted"),
    ]
    status, report = below.json(*typed)
    assert (status, [change["path"] for change in report["changes"]]) == (0, ["src/calc/ops.py"])


def test_a_result_lands_on_a_branch_or_as_a_commit(shell: Shell, serve: Any) -> None:
    shell.run(*goal(serve(FIXER)))
    status, report = shell.json("apply", "--branch", "fixed")
    assert (status, report["landing"]["ref"]) == (0, "refs/heads/fixed")
    assert git(shell.root, "diff", "--stat", "main", "fixed").splitlines()[0].split()[0] == "src/calc/ops.py"
    assert git(shell.root, "status", "--porcelain") == ""
    assert shell.run("rollback")[0] == 0
    status, report = shell.json("apply", "--commit")
    assert (status, git(shell.root, "rev-parse", "HEAD").strip()) == (0, report["landing"]["commit"])


def test_why_a_check_is_red_on_the_base_is_shown_and_its_evidence_too(shell: Shell, serve: Any) -> None:
    said = r"printf 'Error: \033[31mno bread\n'; exit 1"
    options = ("--check", CHECK, "--check", said, "--endpoint", serve(FIXER))
    status, report = shell.json("run", GOAL, "--allow", "src/calc/ops.py", *options)
    assert (status, report["rounds"], report["requests"]) == (4, 0, 0)
    base = {check["run"]: check["baseline"] for check in report["checks"]}
    assert "no bread" in base[said]["distilled"]
    status, out, _ = shell.run("show")
    assert (status, "printf on the base:\n\n```text\nError: no bread\n```" in out) == (0, True), out
    digest = base[said]["output"]
    assert f"{digest[:2]}/{digest}" in out
    process = shell.start("show", "@", "--evidence", digest[:12])
    assert process.communicate(timeout=60) == ("Error: \x1b[31mno bread\n", "")
    status, document = shell.json("show", "--evidence", f"{digest[:2]}/{digest[:12]}")
    assert (status, document["evidence"], document["text"]) == (0, digest, "Error: \x1b[31mno bread\n")
    for wrong, told in (("../../x", "is no digest"), ("0" * 64, "no evidence begins with")):
        status, out, err = shell.run("show", "--evidence", wrong)
        assert (status, out, told in err) == (2, "", True), err


def test_where_no_check_is_found_nothing_points_in_a_circle(shell: Shell) -> None:
    bare = Shell(shell.home / "bare", shell.home, shell.patch, shell.captured)
    bare.root.mkdir()
    (bare.root / "notes.txt").write_text("x\n")
    status, _, err = bare.run("init", "--no-endpoint")
    assert status == 0
    assert 'benchdog fix "CMD"' in err and "no check was found" in err
    status, _, err = bare.run("fix")
    assert (status, "benchdog init" in err) == (2, False)


def test_a_closed_pipe_still_says_how_to_go_on(shell: Shell, serve: Any) -> None:
    process = shell.start(*goal(serve(FIXER), "--json"))
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.close()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 141
    (run,) = (path.name for path in shell.home.rglob("runs/*") if path.is_dir())
    assert err.splitlines()[-1] == f"nobody reads this any more; run {run}: benchdog resume {run}"

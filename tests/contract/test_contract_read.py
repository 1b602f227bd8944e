"""Files become values, or every problem is told with its place; whatever the bytes are, nothing else is raised."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.contract import (
    Check,
    Contract,
    Deliverable,
    EndpointSettings,
    Expect,
    Limits,
    PathClass,
    SandboxSettings,
    Scope,
    Settings,
    When,
)
from benchdog.contract.classes import classes_of
from benchdog.contract.duration import format_duration, parse_duration
from benchdog.contract.globs import exact_pattern
from benchdog.contract.keys import CONTRACT, SETTINGS
from benchdog.contract.locate import locate
from benchdog.contract.read import read_contract, read_settings
from benchdog.contract.reference import reference
from benchdog.contract.rules import contract_problems, with_deliverables
from benchdog.contract.schema import contract_schema, settings_schema
from benchdog.contract.scope import refusal
from benchdog.contract.write import write_contract
from benchdog.errors import ContractError

FULL = """\
goal = "ops.add must add, not subtract."

[scope]
allow = ["src/calc/ops.py"]
read  = ["src/**", "tests/**"]
open  = ["ci"]
max_files = 1
max_lines = 20

[[deliver]]
path = "src/calc/ops.py"
contains = "def add"

[[check]]
name = "tests"
run = "python -m pytest -q"
timeout = "2m"
expect = "no-worse"
witness = true
when = "reply"
cwd = "sub/"
git = true

[limits]
rounds = 2
turns = 5
wall = "1h30m"
"""


def problems(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ContractError) as caught:
        read_contract(data, "c.toml")
    return str(caught.value).split("\n")


def test_a_whole_contract() -> None:
    assert read_contract(FULL.encode(), "c.toml") == Contract(
        goal="ops.add must add, not subtract.",
        scope=Scope(
            allow=("src/calc/ops.py",),
            read=("src/**", "tests/**"),
            open=(PathClass.CI,),
            max_files=1,
            max_lines=20,
        ),
        deliver=(Deliverable(path="src/calc/ops.py", contains="def add"),),
        checks=(
            Check(
                name="tests",
                run="python -m pytest -q",
                timeout=120.0,
                expect=Expect.NO_WORSE,
                witness=True,
                when=When.REPLY,
                cwd="sub",
                git=True,
            ),
        ),
        limits=Limits(rounds=2, turns=5, wall=5400.0),
    )


def test_every_problem_is_told_at_once_with_its_line() -> None:
    text = """\
gaol = "x"
rounds = 3
[scope]
allow = ["ok",
  "../b", 3]
open = ["vcs", "test"]
keep_api = true
max_files = 0
[[check]]
name = "t"
run = "pytest"
timeout = "2 parsecs"
[[check]]
name = "u"
expect = "no_worse"
[each]
files = "x"
"""
    assert problems(text) == [
        "c.toml: goal: is missing: text. The one thing that is wanted, in words.",
        "c.toml:1: gaol: is not known: did you mean `goal`?",
        "c.toml:2: rounds: belongs below a line `[limits]`",
        "c.toml:5: scope.allow[1]: '../b' must not contain `.` or `..`: paths start at the repository's root",
        "c.toml:5: scope.allow[2]: must be a string, found 3",
        'c.toml:6: scope.open[0]: "vcs" is never open: benchdog alone writes what belongs to version control',
        "c.toml:6: scope.open[1]: 'test' is not known: did you mean 'tests'?",
        "c.toml:7: scope.keep_api: not supported by this version of benchdog: remove it",
        "c.toml:8: scope.max_files: must be a whole number from 1 to 1000000, found 0",
        "c.toml:12: check[0].timeout: '2 parsecs' is no length of time (more than 0s, at most 168h): "
        'write "90s", "2m" or "1h30m"',
        "c.toml:13: check[1].run: is missing: shell line. The command, as typed into a shell.",
        "c.toml:15: check[1].expect: 'no_worse' is not known: did you mean 'no-worse'?",
        "c.toml:16: each: not supported by this version of benchdog: remove it",
    ]


HEAD = 'goal = "x"\nscope.allow = ["a"]\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('goal = "x"', 'c.toml: scope.allow: nothing may change: name the files, such as allow = ["src/app.py"]'),
        (
            'goal = "x"\n[scope]\nallow = ["!a"]',
            'c.toml:3: scope.allow: nothing may change: name the files, such as allow = ["src/app.py"]',
        ),
        ('goal = "  "\nscope.allow = ["a"]', "c.toml:1: goal: must not be empty"),
        (
            HEAD + '[[deliver]]\npath = "/etc/passwd"',
            "c.toml:4: deliver[0].path: '/etc/passwd': it is no plain path from the repository's root "
            "(no leading `/`, no `.`, no `..`, no `//`)",
        ),
        (
            HEAD + '[[deliver]]\npath = ".git/hooks/x"',
            "c.toml:4: deliver[0].path: '.git/hooks/x' belongs to version control, which is never open",
        ),
        (
            HEAD + '[[deliver]]\npath = "a"\nmatches = "("',
            "c.toml:5: deliver[0].matches: '(' is no regular expression: "
            "missing ), unterminated subpattern at position 0",
        ),
        (
            HEAD + '[[check]]\nname = "t"\nrun = "a"\n[[check]]\nname = "t"\nrun = "b"',
            "c.toml:7: check[1].name: 't' is already the name of check[0]",
        ),
        (
            HEAD + '[check]\nname = "t"',
            "c.toml:3: check: is a list of tables: write `[[check]]` above each, its keys below",
        ),
        (HEAD + "limits = 3", "c.toml:3: limits: is a table: write `[limits]` on a line of its own, its keys below"),
        (HEAD + 'scope.read = "a"', "c.toml:3: scope.read: must be a list, such as [\"a\"], found 'a'"),
        (
            HEAD + "limits.attempts = 2",
            "c.toml:3: limits.attempts: not supported by this version of benchdog: remove it",
        ),
        (
            HEAD + "limits.wall = inf",
            "c.toml:3: limits.wall: inf is out of bounds: a length of time is more than 0s and at most 168h (7 days)",
        ),
        (HEAD + "[[service]]\nname = 'x'", "c.toml:3: service: not supported by this version of benchdog: remove it"),
        (HEAD + "[tools]\nbash = true", "c.toml:3: tools: not supported by this version of benchdog: remove it"),
        (HEAD + "[endpoint]", "c.toml:3: endpoint: belongs in benchdog.toml or in your own config.toml"),
        ("goal = ", "c.toml:1: is no TOML: Invalid value"),
        ('goal = "x"\nb = "', "c.toml:2: is no TOML: Unterminated string"),
        ("a = 1\na = 2", "c.toml:2: is no TOML: Cannot overwrite a value"),
        ("x = " + "[" * 5000, "c.toml: is nested too deeply"),
    ],
)
def test_one_problem(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_bytes_that_are_no_text() -> None:
    assert problems(b'goal = "\xff"\nscope.allow = ["a"]') == ["c.toml:1: goal: is not valid UTF-8"]
    assert problems(b" " * 1_000_001) == ["c.toml: is 1000001 bytes: a file of settings has at most 1000000"]
    assert problems(b"a = " + b"9" * 5000)[0].startswith("c.toml: is no TOML: ")
    assert read_contract(b'goal = "x"\nscope.allow = ["\xff.py"]', "c").scope.allow == ("\udcff.py",)


def test_a_deliverable_may_change() -> None:
    contract = read_contract(b'goal = "x"\n[[deliver]]\npath = "package.json"', "c.toml")
    assert contract.scope.allow == ("/package.json",)
    assert refusal("package.json", contract.scope) is None
    assert refusal("sub/package.json", contract.scope) is not None


def test_settings() -> None:
    text = """\
open = ["ci"]
[[endpoint]]
url = "http://127.0.0.1:8080/v1"
key_env = "MY_KEY"
context = 8192
[[check]]
name = "t"
run = "pytest"
[classes]
tests = ["qa/**"]
[sandbox]
expose = ["~/data"]
fresh = ["dist/"]
environment = ["CI"]
[limits]
rounds = 1
"""
    file = read_settings(text.encode(), "benchdog.toml")
    assert file.settings == Settings(
        endpoints=(EndpointSettings(url="http://127.0.0.1:8080/v1", key_env="MY_KEY", context=8192),),
        checks=(Check(name="t", run="pytest"),),
        open=(PathClass.CI,),
        classes={PathClass.TESTS: ("qa/**",)},
        sandbox=SandboxSettings(expose=("~/data",), fresh=("dist",), environment=("CI",)),
        limits=Limits(rounds=1),
    )
    assert (file.lines["limits.rounds"], file.lines["endpoint[0].url"]) == (16, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[scope]", "f:1: scope: belongs in a contract: a file of its own for `benchdog run FILE`"),
        (
            '[[endpoint]]\nurl = "http://u:secret@x/v1"',
            "f:2: endpoint[0].url: must not hold a password: put the key into an environment variable "
            "and name it in key_env",
        ),
        (
            '[[endpoint]]\nurl = "x"',
            "f:2: endpoint[0].url: 'x' must be an address such as \"http://127.0.0.1:8080/v1\"",
        ),
        (
            '[[endpoint]]\nurl = "http://a"\n[[endpoint]]\nurl = "http://b"',
            "f:3: endpoint[1].name: 'default' is already the name of endpoint[0]",
        ),
        (
            '[[endpoint]]\nurl = "http://a"\nkey_env = "sk-123"',
            "f:3: endpoint[0].key_env: 'sk-123' must be the name of an environment variable, not its value",
        ),
        (
            '[sandbox]\nexpose = ["data"]',
            "f:2: sandbox.expose[0]: 'data' must be an absolute path, or begin with \"~/\", without `..`",
        ),
        ('[sandbox]\nconnect = ["x"]', "f:2: sandbox.connect: not supported by this version of benchdog: remove it"),
    ],
)
def test_a_problem_of_settings(text: str, expected: str) -> None:
    with pytest.raises(ContractError) as caught:
        read_settings(text.encode(), "f")
    assert str(caught.value) == expected


def test_lines_of_every_form_of_toml() -> None:
    text = '''\
# comment = 1
a = """
x = 1
[no]
""" # after
"q.k" . b = [ 1, # one ]
  [2, "],"],
  { c = 1, d.e = '}' },
]

[t.'u v']
w = 1
[[many]]
x = 1
[many.sub]
y = \'\'\'
z = ''\'\'\'
[[many]]
x = 2
x2 = 1979-05-27T07:32:00Z
'''
    assert tomllib.loads(text)
    assert locate(text.replace("\n", "\r\n")) == {
        ("a",): 2,
        ("q.k",): 6,
        ("q.k", "b"): 6,
        ("q.k", "b", 0): 6,
        ("q.k", "b", 1): 7,
        ("q.k", "b", 1, 0): 7,
        ("q.k", "b", 1, 1): 7,
        ("q.k", "b", 2): 8,
        ("q.k", "b", 2, "c"): 8,
        ("q.k", "b", 2, "d"): 8,
        ("q.k", "b", 2, "d", "e"): 8,
        ("t", "u v"): 11,
        ("t", "u v", "w"): 12,
        ("many",): 13,
        ("many", 0): 13,
        ("many", 0, "x"): 14,
        ("many", 0, "sub"): 15,
        ("many", 0, "sub", "y"): 16,
        ("many", 1): 18,
        ("many", 1, "x"): 19,
        ("many", 1, "x2"): 20,
    }


TOML_BITS = st.sampled_from(
    [
        '"',
        "'",
        '"""',
        "'''",
        "\\",
        "\n",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "#",
        "a",
        "goal",
        "1",
        " ",
        "\r\n",
        "\0",
        "é",
    ]
)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for read in (read_contract, read_settings):
        try:
            read(data, "f")
        except ContractError:
            continue


@given(st.integers(0, len(FULL)), st.integers(0, 12), st.lists(TOML_BITS, max_size=6).map("".join))
def test_no_mutated_contract_raises_anything_else(at: int, removed: int, added: str) -> None:
    mutated = FULL[:at] + added + FULL[at + removed :]
    try:
        assert isinstance(read_contract(mutated.encode(), "f"), Contract)
    except ContractError as error:
        assert all(problem.line is None or 1 <= problem.line <= mutated.count("\n") + 1 for problem in error.problems)


@given(st.lists(TOML_BITS, max_size=25).map("".join))
def test_whatever_tomllib_reads_is_located(text: str) -> None:
    try:
        plain = tomllib.loads(text)
    except ValueError:
        return
    lines = locate(text)
    assert all((key,) in lines or any(path[0] == key for path in lines) for key in plain)


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    str.strip
)
NAMES = WORDS.filter(lambda text: text.isprintable() and text == text.strip())
LETTERS = st.one_of(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), st.sampled_from("ab.*[]\\!# \udc80\udcff")
)
PARTS = st.text(LETTERS, min_size=1, max_size=6).filter(lambda part: part not in (".", ".."))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join).filter(lambda path: not classes_of(path))
SECONDS = st.one_of(st.integers(1, 600_000).map(float), st.floats(0.001, 600_000))
CHECKS = st.lists(
    st.builds(
        Check,
        name=NAMES,
        run=WORDS,
        timeout=SECONDS,
        expect=st.sampled_from(Expect),
        witness=st.sampled_from([None, True, False]),
        when=st.one_of(st.none(), st.sampled_from(When)),
        cwd=st.one_of(st.just("."), PATHS),
        git=st.booleans(),
    ),
    max_size=3,
    unique_by=lambda check: check.name,
)
CONTRACTS = st.builds(
    Contract,
    goal=WORDS,
    scope=st.builds(
        Scope,
        allow=st.lists(PATHS.map(exact_pattern), min_size=1, max_size=3).map(tuple),
        read=st.lists(PATHS.map(exact_pattern), max_size=2).map(tuple),
        open=st.lists(st.sampled_from([kind for kind in PathClass if kind is not PathClass.VCS]), max_size=2).map(
            tuple
        ),
        max_files=st.one_of(st.none(), st.integers(1, 1000)),
        max_lines=st.one_of(st.none(), st.integers(1, 1000)),
    ),
    deliver=st.lists(
        st.builds(
            Deliverable,
            path=PATHS,
            contains=st.one_of(st.none(), WORDS),
            sha256=st.one_of(st.none(), st.just("0a" * 32)),
        ),
        max_size=2,
    ).map(tuple),
    checks=CHECKS.map(tuple),
    limits=st.builds(Limits, rounds=st.integers(1, 100), turns=st.integers(1, 1000), wall=SECONDS),
)


@given(CONTRACTS)
def test_writing_and_reading_is_the_identity(contract: Contract) -> None:
    whole = with_deliverables(contract)
    text = write_contract(whole)
    again = read_contract(text.encode("utf-8", "surrogateescape"), "f")
    assert again == whole
    assert write_contract(again) == text


@given(SECONDS)
def test_lengths_of_time_come_back(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("2m", 120), ("1h30m", 5400), ("1.5", 1.5), (3, 3), ("1h 5s", 3605)]
)
def test_lengths_of_time(text: str | int, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "0", "1d", "m2", "1e3", "99999h", "1s1m", float("nan"), float("inf"), 0, -5]
)
def test_what_is_no_length_of_time(text: str | float) -> None:
    with pytest.raises(ValueError, match=r"time|days"):
        parse_duration(text)


def test_the_reference_is_true() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference.md"
    assert page.read_text(encoding="utf-8") == reference(), (
        "run: python -m benchdog.contract.reference > docs/reference.md"
    )


def test_the_schemas_name_every_key_and_are_json() -> None:
    for schema, form in ((contract_schema(), CONTRACT), (settings_schema(), SETTINGS)):
        assert json.loads(json.dumps(schema)) == schema
        assert schema["additionalProperties"] is False
        for table in form.tables:
            body = schema["properties"][table.name] if table.name else schema
            body = body["items"] if table.many else body
            assert {key.name for key in table.keys} <= set(body["properties"])
            assert {key.name for key in table.keys if key.required} == set(body.get("required", []))


@pytest.mark.parametrize("pattern", [".*", "^", "$", "a*", "x|"])
def test_a_requirement_that_everything_satisfies_is_refused(pattern: str) -> None:
    text = f'goal = "x"\n[scope]\nallow = ["a"]\n[[deliver]]\npath = "a"\nmatches = "{pattern}"\n'
    with pytest.raises(ContractError) as caught:
        read_contract(text.encode(), "c.toml")
    assert str(caught.value.problems[0]) == (
        f"c.toml:6: deliver[0].matches: {pattern!r} is found in an empty file as well: name what must stand in it"
    )


def test_empty_requirements_of_a_contract_that_no_file_made_are_problems() -> None:
    wanted = (Deliverable(path="a", contains=""), Deliverable(path="b", matches=""), Deliverable(path="c", matches="("))
    found = contract_problems(Contract(goal="x", scope=Scope(allow=("a",)), deliver=wanted))
    assert [path for path, _ in found] == [("deliver", 0, "contains"), ("deliver", 1, "matches")]

"""Every key of a contract and of the settings files: the one table that reading, schema and reference come from."""

from __future__ import annotations

from dataclasses import dataclass

from benchdog.contract import kinds
from benchdog.contract.kinds import Kind
from benchdog.contract.values import PathClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. `default` is shown to people;

    `widens`: in a repository's file it is inert until the person trusts it.
    """

    name: str
    kind: Kind
    meaning: str
    default: str = ""
    required: bool = False
    widens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of keys; `name` is empty for the top of the file. `many`: an array of tables."""

    name: str
    meaning: str
    keys: tuple[Key, ...]
    many: bool = False

    @property
    def head(self) -> str:
        """As it is written in a file."""
        return f"[[{self.name}]]" if self.many else f"[{self.name}]" if self.name else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a kind of file may hold. `elsewhere`: keys that people look for here, and what to say of them."""

    title: str
    tables: tuple[Table, ...]
    elsewhere: dict[str, str]


_LATER = "not supported by this version of benchdog: remove it"

_CHECK = Table(
    name="check",
    many=True,
    meaning="A command that must exit 0.",
    keys=(
        Key(name="name", kind=kinds.NAME, required=True, meaning="How messages call it; unique in the file."),
        Key(name="run", kind=kinds.COMMAND, required=True, meaning="The command, as typed into a shell."),
        Key(name="timeout", kind=kinds.DURATION, default='"2m"', meaning="When it is ended and counts as red."),
        Key(
            name="expect",
            kind=kinds.EXPECT,
            default='"green"',
            meaning="`green`: all must be green. `no-worse`: no test that was green may turn red or vanish.",
        ),
        Key(
            name="witness",
            kind=kinds.FLAG,
            default="the only red check",
            meaning="Red on the base, must be green at the end: this proves the work.",
        ),
        Key(
            name="when",
            kind=kinds.WHEN,
            default="`reply` under 15 s, else `round`",
            meaning="How often it runs while the worker works. Every check runs whole before the verdict.",
        ),
        Key(name="cwd", kind=kinds.FOLDER, default='"."', meaning="The folder in which it runs."),
        Key(
            name="git", kind=kinds.FLAG, default="false", meaning="Lend it a made-up `.git` that is thrown away after."
        ),
    ),
)
_LIMITS = Table(
    name="limits",
    meaning="Where a run stops by itself.",
    keys=(
        Key(name="rounds", kind=kinds.integer(1, 100), default="3", meaning="How often findings open a new round."),
        Key(name="turns", kind=kinds.integer(1, 1000), default="20", meaning="Replies of the model in a round."),
        Key(
            name="wall", kind=kinds.DURATION, default='"15m"', meaning="Model time of the run; checks are not counted."
        ),
    ),
)
_SCOPE = Table(
    name="scope",
    meaning="Which paths may change and which may be seen.",
    keys=(
        Key(
            name="allow",
            kind=kinds.PATTERN.list,
            default="the paths of `[[deliver]]`",
            meaning="What may change; nothing else may. An exact path opens itself whatever its class.",
        ),
        Key(name="read", kind=kinds.PATTERN.list, default="the whole tree", meaning="What the worker may see."),
        Key(
            name="open",
            kind=kinds.OPENED.list,
            default="[]",
            meaning="Path classes opened inside patterns. `docs` and `tests` are open, `vcs` never is.",
        ),
        Key(name="max_files", kind=kinds.integer(1, 10**6), default="no limit", meaning="Files that may change."),
        Key(name="max_lines", kind=kinds.integer(1, 10**9), default="no limit", meaning="Lines added plus removed."),
    ),
)
_DELIVER = Table(
    name="deliver",
    many=True,
    meaning="A path that must exist at the end, exactly so spelled. It may change even if `allow` does not name it.",
    keys=(
        Key(name="path", kind=kinds.PATH, required=True, meaning="The file."),
        Key(name="contains", kind=kinds.CONTENT, default="anything", meaning="Text that it must contain."),
        Key(name="matches", kind=kinds.REGEX, default="anything", meaning="Python regular expression found in it."),
        Key(name="sha256", kind=kinds.DIGEST, default="anything", meaning="The digest of its bytes."),
    ),
)
CONTRACT = Form(
    title="A contract",
    tables=(
        Table(
            name="",
            meaning="At the top of the file.",
            keys=(Key(name="goal", kind=kinds.TEXT, required=True, meaning="The one thing that is wanted, in words."),),
        ),
        _SCOPE,
        _DELIVER,
        _CHECK,
        _LIMITS,
    ),
    elsewhere={
        **dict.fromkeys(
            ("each", "review", "service", "tools", "land", "scope.keep_api", "limits.attempts", "check.needs"), _LATER
        ),
        "sandbox.connect": _LATER,
        **dict.fromkeys(("sandbox", "endpoint", "classes"), "belongs in benchdog.toml or in your own config.toml"),
        **dict.fromkeys(
            ("allow", "read", "open", "max_files", "max_lines", "keep_api"), "belongs below a line `[scope]`"
        ),
        **dict.fromkeys(("rounds", "turns", "wall", "attempts"), "belongs below a line `[limits]`"),
    },
)

_ENDPOINT = Table(
    name="endpoint",
    many=True,
    meaning="A server that serves models. `benchdog init` writes the one it finds into your own file.",
    keys=(
        Key(name="name", kind=kinds.NAME, default='"default"', widens=True, meaning="How messages call it."),
        Key(name="url", kind=kinds.URL, required=True, widens=True, meaning="Its OpenAI-compatible address."),
        Key(name="model", kind=kinds.NAME, default="what it serves", widens=True, meaning="The model to ask for."),
        Key(
            name="key_env",
            kind=kinds.VARIABLE,
            default="none",
            widens=True,
            meaning="The environment variable with its API key. Only your own file may name one.",
        ),
        Key(
            name="context",
            kind=kinds.integer(512, 10**8),
            default="what it tells",
            widens=True,
            meaning="Context length in tokens.",
        ),
        Key(name="temperature", kind=kinds.number(0, 2), default="0.2", widens=True, meaning="Sampling temperature."),
        Key(name="top_p", kind=kinds.number(0, 1), default="0.95", widens=True, meaning="Nucleus sampling."),
    ),
)
_SANDBOX = Table(
    name="sandbox",
    meaning="What checks see beyond the tree, and what they do not.",
    keys=(
        Key(
            name="expose",
            kind=kinds.HOST_PATH.list,
            default="[]",
            widens=True,
            meaning="Host paths that checks may read.",
        ),
        Key(
            name="fresh",
            kind=kinds.LENT_PATH.list,
            default="[]",
            meaning="Ignored paths that are not lent: checks start without them.",
        ),
        Key(
            name="lend",
            kind=kinds.LENT_PATH.list,
            default="[]",
            widens=True,
            meaning="Ignored paths lent beyond the default.",
        ),
        Key(
            name="environment",
            kind=kinds.VARIABLE.list,
            default="[]",
            widens=True,
            meaning="Environment variables passed through to checks.",
        ),
    ),
)
_CLASSES = Table(
    name="classes",
    meaning="Further patterns for path classes. They only ever close.",
    keys=tuple(
        Key(name=kind.value, kind=kinds.PATTERN.list, default="[]", meaning=f"Further paths of class `{kind.value}`.")
        for kind in PathClass
    ),
)
SETTINGS = Form(
    title="`benchdog.toml` and your own `config.toml`",
    tables=(
        Table(
            name="",
            meaning="At the top of the file.",
            keys=(
                Key(
                    name="open",
                    kind=kinds.OPENED.list,
                    default="[]",
                    widens=True,
                    meaning="Path classes that every contract opens.",
                ),
            ),
        ),
        _ENDPOINT,
        _CHECK,
        _CLASSES,
        _SANDBOX,
        _LIMITS,
    ),
    elsewhere={
        **dict.fromkeys(
            ("role", "roles", "remote", "service", "services", "tools", "review", "land", "gate", "gates", "each"),
            _LATER,
        ),
        **dict.fromkeys(("sandbox.connect", "limits.attempts", "check.needs"), _LATER),
        **dict.fromkeys(
            ("goal", "scope", "deliver"), "belongs in a contract: a file of its own for `benchdog run FILE`"
        ),
    },
)

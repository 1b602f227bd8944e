"""The reference of every key, written from the table of keys: `python -m benchdog.contract.reference` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchdog.contract.classes import OPEN_BY_DEFAULT, class_names
from benchdog.contract.keys import CONTRACT, SETTINGS, Form
from benchdog.contract.values import PathClass

_HEAD = """# Reference: every key

<!-- Written by `python -m benchdog.contract.reference`; a test keeps it true. Do not edit. -->

A contract is a TOML file that `benchdog run FILE` carries out. `benchdog.toml` in a repository holds what all its
contracts share, `config.toml` (in `$XDG_CONFIG_HOME/benchdog/`) what is yours. An unknown key is an error.

Who wins: command-line flags, then the contract, then `benchdog.toml`, then `config.toml`. For `[limits]` that holds key
by key; for `[[check]]` and `[[endpoint]]` by name (a contract gets the default checks that it does not name itself);
`open`, `[classes]` and `[sandbox]` add up. `benchdog config --explain` prints each value and where it comes from.

- A **pattern** is gitignore syntax from the repository's root, or from the folder of the `benchdog.toml` that holds
  it; `!` takes back. A bracket never matches `/`; `[[:alpha:]]` is not supported; at most three `**` and three `*` in
  one part.
- A **time** is `"90s"`, `"2m"`, `"1h30m"` or a number of seconds; at most 7 days.
- A path in `[[deliver]]` counts as an exact path in `allow`.
- Keys marked **widens** do nothing in a repository's `benchdog.toml` until you accept them with `benchdog trust`.
  `key_env` counts only in your own `config.toml`.
"""
_CLASSES = """
## Path classes

A path class stays closed inside a pattern of `allow`, but for `docs` and `tests`. `open = ["ci"]` opens one; a path
written exactly in `allow` opens itself. `vcs` is never open. Names are compared without regard to case.

| class | open in a pattern | folders | files |
| --- | --- | --- | --- |
"""


def reference() -> str:
    """The whole page, as Markdown."""
    return _HEAD + "".join(_form(CONTRACT)) + "".join(_form(SETTINGS)) + _CLASSES + "".join(map(_class, PathClass))


def _form(form: Form) -> Iterator[str]:
    yield f"\n## {form.title}\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
    for table in form.tables:
        if table.name:
            yield f"| **`{table.head}`** | | | {table.meaning} |\n"
        for key in table.keys:
            name = f"{table.name}.{key.name}" if table.name else key.name
            default = "**required**" if key.required else key.default
            widens = " **widens**" if key.widens else ""
            yield f"| `{name}` | {key.kind.words} | {_code(default)} | {key.meaning}{widens} |\n"


def _class(kind: PathClass) -> str:
    folders, files = class_names(kind)
    opened = "yes" if kind in OPEN_BY_DEFAULT else "never" if kind is PathClass.VCS else "no"
    return f"| `{kind.value}` | {opened} | {_words(folders)} | {_words(files)} |\n"


def _words(names: tuple[str, ...]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _code(default: str) -> str:
    return f"`{default}`" if default[:1] in ('"', "[") or default.isdigit() or default in ("true", "false") else default


if __name__ == "__main__":
    sys.stdout.write(reference())

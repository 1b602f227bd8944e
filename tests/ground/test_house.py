"""The rules of the house that a linter does not know, over the whole of `src`; each with a control that breaks it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
MODULE_LINES = 500
FUNCTION_LINES = 60

Modules = Mapping[str, str]
"""Source texts by dotted module name; a package's `__init__` has the package's name."""

Rule = Callable[[Modules], list[str]]


def _modules() -> Modules:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _imports(tree: ast.AST) -> Iterator[str]:
    """Absolute names of what is imported: `from a.b import c` gives `a.b` and `a.b.c`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def short_modules(modules: Modules) -> list[str]:
    sizes = {name: len(text.splitlines()) for name, text in modules.items()}
    return [f"{name}: {size} lines" for name, size in sizes.items() if size > MODULE_LINES]


def short_functions(modules: Modules) -> list[str]:
    return [
        f"{name}:{function.lineno} {function.name}"
        for name, text in modules.items()
        for function in _functions(ast.parse(text))
        if function.end_lineno and function.end_lineno - function.lineno + 1 > FUNCTION_LINES
    ]


def no_own_imports_in_functions(modules: Modules) -> list[str]:
    return [
        f"{name}:{function.lineno} {target}"
        for name, text in modules.items()
        for function in _functions(ast.parse(text))
        for target in _imports(function)
        if target.partition(".")[0] == "benchdog"
    ]


def no_cycles(modules: Modules) -> list[str]:
    """What is left when modules that import nothing, or that nothing imports, are taken away again and again."""
    graph = {name: _own_imports(name, text, modules) for name, text in modules.items()}
    while True:
        imported = set().union(*graph.values())
        ends = {name for name, targets in graph.items() if not targets or name not in imported}
        if not ends:
            return sorted(graph)
        graph = {name: targets - ends for name, targets in graph.items() if name not in ends}


def _own_imports(name: str, text: str, modules: Modules) -> set[str]:
    """The modules that a module imports; for `from package import module` the module, not the package."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            dotted = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {each if each in modules else node.module for each in dotted}
    return (found & modules.keys()) - {name}


def one_door_to_processes(modules: Modules) -> list[str]:
    doors = {"subprocess", "multiprocessing", "pty", "concurrent.futures.ProcessPoolExecutor"}
    calls = ("fork", "forkpty", "system", "popen", "posix_spawn", "posix_spawnp")
    return [
        f"{name}: {what}"
        for name, text in modules.items()
        if name != "benchdog.system.process"
        for what in sorted(
            doors & set(_imports(ast.parse(text)))
            | {used for used in _of_os(text) if used in calls or used.startswith(("exec", "spawn"))}
        )
    ]


def one_door_to_the_environment(modules: Modules) -> list[str]:
    calls = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    return [
        f"{name}: os.{what}"
        for name, text in modules.items()
        if name != "benchdog.system.environment"
        for what in sorted(calls & _of_os(text))
    ]


def _of_os(text: str) -> set[str]:
    """Names taken from the module `os`, as `os.name` or by `from os import name`."""
    tree = ast.parse(text)
    dotted = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    return dotted | {name.removeprefix("os.") for name in _imports(tree) if name.startswith("os.")}


def every_module_says_what_it_is(modules: Modules) -> list[str]:
    words = {name: ast.get_docstring(ast.parse(text)) or "" for name, text in modules.items()}
    return [name for name, said in words.items() if not said or "placeholder" in said.lower()]


BROKEN: dict[Rule, Modules] = {
    short_modules: {"benchdog.a": "x = 1\n" * (MODULE_LINES + 1)},
    short_functions: {"benchdog.a": "def f():\n" + "    x = 1\n" * FUNCTION_LINES},
    no_own_imports_in_functions: {"benchdog.a": "def f():\n    from benchdog.b import c\n"},
    no_cycles: {
        "benchdog.a": "from benchdog.b import x",
        "benchdog.b": "from benchdog import c",
        "benchdog.c": "import benchdog.a",
    },
    one_door_to_processes: {"benchdog.a": "import os\nos.execv('/bin/true', [])"},
    one_door_to_the_environment: {"benchdog.a": "from os import environ"},
    every_module_says_what_it_is: {"benchdog.a": "x = 1"},
}


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Rule) -> None:
    assert rule(_modules()) == []


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_rule_sees_what_breaks_it(rule: Rule) -> None:
    assert rule(BROKEN[rule]) != []

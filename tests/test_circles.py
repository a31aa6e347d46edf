"""No circle among modules, imports for types included; every class and module its own name.

What is imported inside a function or for type checkers counts as much as what stands at
the top: a reader follows it just the same. Names given as text (lazy loading) do not.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import simlib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PACKAGE = Path(simlib.__file__).parent
PARTIES = ("simlib.theatre.agents.", "simlib.theatre.analogues.")
"""Packages whose modules are called after a party or a country, as others may be."""


def sources() -> dict[str, str]:
    """Return the source of each module of simlib by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


def imports(module: str, source: str, modules: Iterable[str]) -> Iterator[str]:
    """Yield every module that a module imports, wherever in it the import stands."""
    known = set(modules)
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name in known)
            case ast.ImportFrom(module=str(origin), level=0, names=names) if origin in known:
                for alias in names:
                    inner = f"{origin}.{alias.name}"
                    yield inner if inner in known else origin
            case ast.ImportFrom(level=level) if level:
                pytest.fail(f"{module}: an import says the whole name")


def circles(modules: Mapping[str, str]) -> set[frozenset[str]]:
    """Return the sets of modules each of which reaches all others of its set.

    Reachability by plain search: with some hundreds of modules nothing cleverer is needed.
    """
    graph = {name: set(imports(name, source, modules)) for name, source in modules.items()}
    reached = {name: _reached(graph, name) for name in graph}
    return {
        frozenset(other for other in reached[name] if name in reached[other])
        for name in graph
        if name in reached[name]
    }


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """Return all that can be reached from a module; itself only where a way leads back."""
    found: set[str] = set()
    ahead = set(graph[start])
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead |= graph[name] - found
    return found


def twice(names: Iterable[str]) -> set[str]:
    """Return the names that come more than once."""
    return {name for name, n in Counter(names).items() if n > 1}


def classes(modules: Iterable[str]) -> Iterator[str]:
    """Yield the name of every class at the top of a module."""
    for source in modules:
        yield from (node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef))


def test_no_modules_import_one_another() -> None:
    assert circles(sources()) == set()


def test_every_class_has_its_own_name() -> None:
    assert twice(classes(sources().values())) == set()


def test_every_module_has_its_own_name() -> None:
    packages = {name.rpartition(".")[0] for name in sources()}
    modules = [n for n in sources() if n not in packages and not n.startswith(PARTIES)]
    assert twice(name.rpartition(".")[2] for name in modules) == set()


@pytest.mark.parametrize(
    "one",
    [
        "from simlib.two import f",
        "import simlib.two",
        "from simlib import two",
        "def f() -> None:\n    from simlib.two import g",
        "if TYPE_CHECKING:\n    from simlib.two import F",
    ],
)
def test_a_circle_is_found(one: str) -> None:
    """Negative control: each kind of import closes the circle, also over a third module."""
    modules = {
        "simlib": "",
        "simlib.one": one,
        "simlib.two": "import simlib.three",
        "simlib.three": "from simlib.one import h\nfrom simlib.below import x",
        "simlib.below": 'importlib.import_module("simlib.one")\nimport numpy',
    }
    assert circles(modules) == {frozenset({"simlib.one", "simlib.two", "simlib.three"})}
    assert circles({**modules, "simlib.three": ""}) == set()


def test_a_second_class_of_a_name_is_found() -> None:
    assert twice(classes(["class A: ...\nclass B: ...", "class _C: ...\nclass A: ..."])) == {"A"}


def test_no_module_is_hidden_by_a_public_name() -> None:
    """``import a.b.c as x`` goes by attributes: a function ``b`` of ``a`` must not stand there."""
    for name in sources():
        room, _, stem = name.rpartition(".")
        if room and stem != "__main__":
            importlib.import_module(name)
            found = getattr(sys.modules[room], stem)
            assert isinstance(found, ModuleType), name

"""One door per dependency, no global generator, no long file, no banner, no work on import.

Which module may import which is import-linter's (``make check``); what stands here it
cannot see. Every rule is also shown to fail on a line that breaks it.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "simlib"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 400
"""Lines of code in a file; docstrings, comments and imports do not count."""

NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    tokenize.ENDMARKER,
}
"""Tokens that make no line one of code."""

DOORS = {
    "simpy": ("world/clock.py", "agents/base.py"),
    "yaml": ("scenario/",),
    "numba": ("world/kernel", "chance/"),
    "llvmlite": ("chance/",),
    "matplotlib": ("plot/", "reporting/small_svg.py"),
    "loky": ("ensemble/executors/",),
    "dask": ("ensemble/executors/", "ensemble/cube.py"),
    "distributed": ("ensemble/executors/",),
    "concurrent": ("ensemble/executors/",),
    "multiprocessing": ("ensemble/executors/",),
    "cloudpickle": ("ensemble/executors/",),
    "pickle": ("ensemble/executors/",),
    "pyarrow": ("ensemble/store",),
    "SALib": ("analysis/",),
    "sklearn": ("analysis/", "statistics/regression.py"),
    "threadpoolctl": ("statistics/regression.py",),
    "scoringrules": ("statistics/scores.py",),
    "pyabc": ("evidence/",),
    "jinja2": ("reporting/",),
    "markupsafe": ("reporting/",),
    "weasyprint": ("reporting/composing.py",),
    "typer": ("cli",),
    "rich": ("cli",),
    # Tables for people are made above the engine; what simulates, reads and draws has arrays.
    "pandas": ("ensemble/", "analysis/", "answers/", "evidence/", "theatre/questions/", "cli/"),
    "xarray": ("ensemble/cube.py",),
    # Of the engine, only quantiles are SciPy's, and its designs. Statistics are a room.
    "scipy": (
        *("chance/distributions.py", "chance/designs.py", "world/multipliers.py", "statistics/"),
        *("analysis/", "evidence/", "theatre/questions/"),
    ),
    "random": (),
    "secrets": (),
}
"""Dependency -> beginnings of the only paths inside simlib that may import it."""

LOADED_LATE = (
    *("dask", "jinja2", "loky", "matplotlib", "numba", "pandas", "pyarrow", "SALib", "scipy.stats"),
    *("pyabc", "scoringrules", "sklearn", "xarray"),
)


def executed(source: str) -> ast.Module:
    """Parse a module without what stands there for type checkers only."""

    class Annotations(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            match node.test:
                case ast.Name(id="TYPE_CHECKING"):
                    return node.orelse
            return self.generic_visit(node)

    tree = ast.parse(source)
    Annotations().visit(tree)
    return tree


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every absolute import, also by `import_module`."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name


def random_names(tree: ast.Module) -> Iterator[int]:
    """Yield the line of every mention of NumPy's random module."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="random"):
                yield node.lineno


def prints(tree: ast.Module) -> Iterator[int]:
    """Yield the line of every call of `print`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield node.lineno


def code_lines(source: str) -> int:
    """Return how many lines a module has without docstrings, comments, imports, blanks."""
    tree = ast.parse(source)
    code = {
        token.start[0] + i
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
        for i in range(token.end[0] - token.start[0] + 1)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                code -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(code)


def broken_rules(path: str, source: str) -> list[str]:
    """Return a line for everything in a module that breaks a rule."""
    tree = executed(source)
    found = []
    for line, name in imported(tree):
        doors = DOORS.get(name.partition(".")[0])
        if doors is not None and not path.startswith(doors):
            found.append(f"{path}:{line}: imports {name}")
        if name.startswith("numpy.random"):
            found.append(f"{path}:{line}: imports {name}")
    found += [f"{path}:{line}: uses numpy.random" for line in random_names(tree)]
    if not path.startswith("cli"):
        found += [f"{path}:{line}: prints" for line in prints(tree)]
    n_lines = code_lines(source)
    if n_lines > MOST_LINES:
        found.append(f"{path}: {n_lines} lines of code, more than {MOST_LINES}")
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_module_keeps_to_its_doors(module: Path) -> None:
    """A dependency enters by one door, chance by its address, words by the command line."""
    path = module.relative_to(PACKAGE).as_posix()
    assert broken_rules(path, module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("world/state.py", "import simpy"),
        ("world/state.py", "def f():\n    from simpy.events import Event"),
        ("agents/registry.py", "import importlib\nimportlib.import_module('simpy')"),
        ("cli.py", "import yaml"),
        ("simulation/simulating.py", "import numba as nb"),
        ("analysis/scoring.py", "import matplotlib.pyplot as plt"),
        ("ensemble/results.py", "from concurrent.futures import Future"),
        ("ensemble/results.py", "import pyarrow.parquet"),
        ("ensemble/results.py", "import dask.array as da"),
        ("outcomes/planning.py", "def f():\n    import pandas as pd"),
        ("world/engine.py", "from scipy.special import ndtri"),
        ("chance/inversion_tables.py", "import importlib\nimportlib.import_module('scipy.stats')"),
        ("agents/base.py", "import random"),
        ("agents/base.py", "from numpy.random import default_rng"),
        ("agents/base.py", "from numpy import random"),
        ("agents/base.py", "import numpy as np\nnp.random.default_rng()"),
        ("plot/maps.py", "print('here')"),
        ("analysis/columns.py", "from jinja2 import Environment"),
        ("errors.py", "x = 1\n" * (MOST_LINES + 1)),
    ],
)
def test_broken_rule_is_found(path: str, source: str) -> None:
    """Negative control: a line that breaks a rule is reported."""
    assert len(broken_rules(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("world/clock.py", "import simpy"),
        ("world/kernel/advance.py", "import numba"),
        ("cli.py", "import typer\nprint('done')"),
        ("scenario/reading.py", "import yaml"),
        ("ensemble/cube.py", "import dask.array as da"),
        ("plot/backtests.py", "if TYPE_CHECKING:\n    import pandas as pd"),
        ("statistics/ranks.py", "def f():\n    from scipy.stats import binom"),
        ("world/waiting.py", "if TYPE_CHECKING:\n    import simpy"),
        ("errors.py", "import os\n\n# why\n" * MOST_LINES + "x = 1\n" * MOST_LINES),
        ("errors.py", 'def f() -> None:\n    """Do\n\n    nothing."""\n' * MOST_LINES),
    ],
)
def test_the_door_itself_is_open(path: str, source: str) -> None:
    """Negative control of the other kind: the rule forbids no more than it says."""
    assert broken_rules(path, source) == []


BANNER = re.compile(r"^\s*#.*([-=*~#_+])\1{3,}", re.MULTILINE)
"""A comment that draws a line: where a page needs one, it is two pages."""


@pytest.mark.parametrize(
    "folder", ["simlib", "tests", "examples", "benchmarks", "scenarios", "seeds"]
)
def test_no_comment_draws_a_line(folder: str) -> None:
    files = [file for kind in ("*.py", "*.yaml") for file in (ROOT / folder).rglob(kind)]
    banners = [file for file in files if BANNER.search(file.read_text("utf-8", "replace"))]
    assert files
    assert banners == []


@pytest.mark.parametrize(
    ("line", "draws"),
    [
        ("# ---------------- places", True),
        ("x = 1\n    # ====", True),
        ("# places ----", True),
        ("# from 2024--2026", False),
        ("places: {}  # Iraq", False),
    ],
)
def test_a_banner_is_found(line: str, draws: bool) -> None:  # noqa: FBT001
    assert bool(BANNER.search(line)) == draws


def test_import_does_no_work() -> None:
    """`import simlib` loads nothing heavy: that waits until something runs."""
    code = f"import simlib, sys; print([n for n in {LOADED_LATE!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# comments

LONG_ROUTINE = 20
"""Lines, without the docstring, from which on a numerical routine says why, step by step."""
NUMERICAL = re.compile(r"np\.|scipy|math\.|@|\*\*")
FEW_NUMBERS = 4


def wordless(source: str) -> Iterator[str]:
    """Yield the name of each long numerical routine without any comment that says why."""
    lines = source.splitlines()
    said = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
        and not re.match(r"# (noqa|type: ignore|fmt:)", token.string)
    }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[min(1, len(node.body) - 1) if ast.get_docstring(node) else 0]
            inside = range(first.lineno, (node.end_lineno or 0) + 1)
            text = "\n".join(lines[number - 1] for number in inside)
            is_numerical = len(NUMERICAL.findall(text)) >= FEW_NUMBERS
            if (
                len(inside) > LONG_ROUTINE
                and is_numerical
                and said.isdisjoint(range(node.lineno, inside.stop))
            ):
                yield node.name


def test_long_numerical_routines_say_why() -> None:
    modules = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    numerical = re.compile(r"import (numpy|scipy)|from scipy|numba")
    found = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path, source in modules.items()
        if numerical.search(source)
        for name in wordless(source)
    }
    assert found == set()


def test_a_wordless_routine_is_found() -> None:
    body = "    x = np.exp(x)\n" * (LONG_ROUTINE + 1)
    assert list(wordless(f"def f(x):\n{body}")) == ["f"]
    assert list(wordless(f"def f(x):\n    # the law of x\n{body}")) == []
    assert list(wordless("def f(x):\n    x = np.exp(x)\n")) == []

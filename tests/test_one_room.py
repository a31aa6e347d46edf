"""Files are written, renamed and removed in one room only, ``simlib/files``.

What stands here sees calls, by their names: each is also shown to be found on a line that
makes it, and lines that only look like one are shown to pass.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "simlib"
ROOM = "files/"
MODULES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if not path.relative_to(PACKAGE).as_posix().startswith(ROOM)
)

ALLOWED: dict[str, frozenset[str]] = {
    "cli/streams.py": frozenset(  # the null device, and streams that are open already
        {
            "while (number := os.open(os.devnull, os.O_RDWR)) <= 2:",
            'stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115',
        }
    ),
    "ensemble/store/locking.py": frozenset(  # to look who holds the lock: nothing is written
        {"descriptor = os.open(path / LOCK, os.O_RDONLY | os.O_NOFOLLOW)"}
    ),
    "ensemble/map_runs.py": frozenset({"np.savez_compressed(sink, **arrays)"}),
    "finding.py": frozenset(  # text for a notebook
        {"return said + str(self.brief().to_html(index=False, float_format=number))"}
    ),
    "plot/style.py": frozenset(
        {"figure.savefig(content, format=kind, metadata=_UNDATED[kind])"}  # bytes in memory
    ),
    "reporting/companions.py": frozenset({'few.save(content, "PNG", optimize=True)'}),  # as well
}
"""Lines outside the room that may: what they write is no file."""

ALWAYS = re.compile(
    r"write_text|write_bytes|savefig|savetxt|tofile|touch|unlink|rmdir|rmtree|mkdir|makedirs"
    r"|mkdtemp|mkstemp|symlink_to|hardlink_to|symlink|chmod|truncate|copytree|copyfile|copy2"
    r"|NamedTemporaryFile|TemporaryDirectory|TemporaryFile|ParquetWriter|ExcelWriter"
    r"|save|savez|savez_compressed"
    r"|to_(csv|parquet|json|html|excel|feather|pickle|hdf|sql|stata|xml|latex|markdown|orc|netcdf"
    r"|zarr|clipboard)"
)
"""Names of methods and functions that write or remove a file, whoever has them."""
OF_OS = {"replace", "rename", "renames", "remove", "removedirs", "link", "open", "mkfifo"}
OURS = {"save"}
"""A function of ours of such a name: it is called by its bare name, and asks the room."""
WRITING = re.compile(r"[waxr]b?t?\+|[wax]")


def writers(source: str) -> Iterator[int]:
    """Yield the line of every call that may write, rename or remove a file."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="shutil"), attr="rmtree" | "move" | "copy"):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr=name)) if name in OF_OS:
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr=name)) if ALWAYS.fullmatch(name):
                yield node.lineno
            case ast.Call(func=ast.Name(id=name)) if ALWAYS.fullmatch(name) and name not in OURS:
                yield node.lineno
            case ast.Call(func=ast.Name(id="open") | ast.Attribute(attr="open")) if _writes(node):
                yield node.lineno
            # A path has one new name; text has what is replaced and by what.
            case ast.Call(
                func=ast.Attribute(attr="replace" | "rename", value=owner), args=[_], keywords=[]
            ) if not _is(owner, "dataclasses"):
                yield node.lineno


def _writes(call: ast.Call) -> bool:
    """Whether a file is opened to be written: a mode says so, wherever it stands."""
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(
        isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and WRITING.match(each.value) is not None
        and len(each.value) <= len("w+b")
        for each in given
    )


def _is(owner: ast.expr, name: str) -> bool:
    return isinstance(owner, ast.Name) and owner.id == name


def not_allowed(path: str, source: str) -> list[str]:
    """Return each line of a module that writes and is not allowed to."""
    lines = source.splitlines()
    allowed = ALLOWED.get(path, frozenset())
    found = sorted(set(writers(source)))
    return [f"{path}:{n}" for n in found if lines[n - 1].strip() not in allowed]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_module_writes_in_the_one_room_only(module: Path) -> None:
    """Nothing else opens a file to write it, renames one or removes one."""
    path = module.relative_to(PACKAGE).as_posix()
    assert not_allowed(path, module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        'open(path, "w")',
        'open(path, mode="ab")',
        'open(path, "r+")',
        'path.open("w", encoding="utf-8")',
        'path.open(mode="x")',
        'gzip.open(path, "wb")',
        "path.write_text(text)",
        "path.write_bytes(data)",
        "figure.savefig(path)",
        "table.to_csv(path, index=False)",
        "table.to_parquet(path)",
        "table.to_excel(path)",
        "np.save(path, array)",
        "np.savez_compressed(path, **arrays)",
        "os.replace(a, b)",
        "os.rename(a, b)",
        "os.remove(a)",
        "os.open(a, flags)",
        "temporary.replace(path)",
        "path.rename(other)",
        "path.unlink(missing_ok=True)",
        "os.unlink(path)",
        "shutil.rmtree(folder)",
        "finalize(self, shutil.rmtree, folder)",
        "folder.mkdir(parents=True)",
        "os.makedirs(folder)",
        "tempfile.mkdtemp()",
        "path.touch()",
        "path.symlink_to(other)",
    ],
)
def test_a_line_that_writes_is_found(line: str) -> None:
    """Negative control: one line for each way of writing."""
    assert not_allowed("cli/new.py", line) == ["cli/new.py:1"]


@pytest.mark.parametrize(
    "line",
    [
        'open(path, encoding="utf-8")',
        'path.open("rb")',
        'packed.open("events.csv")',
        'text.replace("a", "b")',
        "dataclasses.replace(problem, simulator=one)",
        "date.replace(day=1)",
        'table.rename(columns={"a": "b"})',
        "save(figure, path)",
        "table.to_numpy()",
    ],
)
def test_a_line_that_does_not_write_passes(line: str) -> None:
    """Negative control of the other kind: the rule forbids no more than it says."""
    assert not_allowed("cli/new.py", line) == []


def test_the_room_itself_writes() -> None:
    """What is looked for is there: the rule does not pass for want of names."""
    sources = [path.read_text(encoding="utf-8") for path in (PACKAGE / ROOM).glob("*.py")]
    assert sum(len(list(writers(source))) for source in sources) >= 8


def test_the_register_is_read_in_one_place() -> None:
    """Its file is named once; whoever wants a row asks `simlib.scenario.bundled`."""
    named = [path for path in MODULES if '"parameters.csv"' in path.read_text(encoding="utf-8")]
    assert [path.relative_to(PACKAGE).as_posix() for path in named] == ["scenario/bundled.py"]

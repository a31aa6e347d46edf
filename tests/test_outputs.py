"""What is written replaces nothing but its own, and is whole under its name or not there."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simlib
from simlib.errors import StoreError
from simlib.files import (
    DiskFullError,
    Output,
    csv_bytes,
    csv_of_rows,
    distinct,
    read_regular,
    refuse_unwritable,
    write_file,
    write_whole,
)
from simlib.files.outputs import RECORD
from simlib.plot.drawing import RECORD as DRAWN
from simlib.plot.style import image, new_figure, save
from support.scenarios import ensemble_of

OTHER = "is there already, and is not what this command wrote; --force replaces it"


def left(folder: Path) -> set[str]:
    """Return the names in a folder."""
    return {path.name for path in folder.iterdir()}


# a folder of one command


def test_a_command_replaces_what_it_wrote(tmp_path: Path) -> None:
    output = Output(tmp_path / "new" / "out", "why")
    for data in (b"one", b"two", b"two"):
        path = output.write("effects.csv", data)
        assert path.read_bytes() == data
    assert left(output.folder) == {RECORD, "effects.csv"}


@pytest.mark.parametrize("command", ["diff", "figures"])
def test_what_another_command_wrote_is_left(command: str, tmp_path: Path) -> None:
    Output(tmp_path, "why").write("effects.csv", b"one")
    with pytest.raises(StoreError, match=OTHER):
        Output(tmp_path, command).write("effects.csv", b"two")
    assert (tmp_path / "effects.csv").read_bytes() == b"one"


def test_what_somebody_wrote_or_changed_is_left(tmp_path: Path) -> None:
    """Also where the command wrote a file of that name before; the same content is fine."""
    output = Output(tmp_path, "why")
    (tmp_path / "mine.csv").write_bytes(b"mine")
    output.write("effects.csv", b"one")
    (tmp_path / "effects.csv").write_bytes(b"one, with a note")
    for name in ("mine.csv", "effects.csv"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(StoreError, match=OTHER):
            output.write(name, b"two")
        assert (tmp_path / name).read_bytes() == before
        output.write(name, before)
        Output(tmp_path, "why", force=True).write(name, b"two")
        assert (tmp_path / name).read_bytes() == b"two"


def test_an_input_is_written_over_by_nothing(tmp_path: Path) -> None:
    """Not by its name, not through a link to it, and not by force; once changed it is none."""
    given = tmp_path / "given.csv"
    given.write_bytes(b"given")
    (tmp_path / "link.csv").symlink_to(given)
    read_regular(tmp_path / "link.csv", 100)
    os.link(given, tmp_path / "second.csv")
    for name in ("given.csv", "second.csv"):
        for write in (
            lambda name: Output(tmp_path, "why", force=True).write(name, b"two"),
            lambda name: write_file(tmp_path / name, b"two", force=True),
            lambda name: refuse_unwritable(tmp_path / name),
        ):
            with pytest.raises(StoreError, match="was read as an input and is not written over"):
                write(name)
    assert given.read_bytes() == b"given"
    given.write_bytes(b"another")
    write_file(given, b"two", force=True)


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def _link_to_a_file(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(b"elsewhere")
    path.symlink_to(path.with_name("elsewhere"))


KINDS: dict[str, Callable[[Path], None]] = {
    "a directory": _folder,
    "a pipe": _pipe,
    "a link": _link,
    "a link ": _link_to_a_file,
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_written_to_what_is_no_file(kind: str, tmp_path: Path) -> None:
    """By no way, also not by force; and what a link points to is as it was."""
    path = tmp_path / "name.csv"
    KINDS[kind](path)
    before = left(tmp_path)
    for write in (
        lambda: Output(tmp_path, "why", force=True).write(path.name, b"two"),
        lambda: write_file(path, b"two", force=True),
        lambda: write_whole(path, b"two"),
        lambda: refuse_unwritable(path),
    ):
        with pytest.raises(StoreError, match=f"name.csv: is {kind.strip()}; nothing is written"):
            write()
    assert left(tmp_path) - {RECORD} == before
    elsewhere = tmp_path / "elsewhere"
    assert not elsewhere.exists() or elsewhere.read_bytes() == b"elsewhere"


def test_a_device_is_not_written_to() -> None:
    with pytest.raises(StoreError, match=r"^/dev/null: is a device or socket"):
        write_file(Path("/dev/null"), b"two", force=True)


def test_a_record_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / RECORD).symlink_to(elsewhere)
    for output in (Output(tmp_path, "why"), Output(tmp_path, "why", force=True)):
        with pytest.raises(StoreError, match=f"{RECORD}: is a link"):
            output.write("effects.csv", b"one")
    assert not elsewhere.exists()


def test_a_record_that_was_cut_off_loses_no_later_line(tmp_path: Path) -> None:
    """As on a full disk: what is written then is known to be the command's own."""
    output = Output(tmp_path, "why")
    output.write("effects.csv", b"one")
    with (tmp_path / RECORD).open("ab") as file:
        file.write(b'[["0"], "why", "effects.csv"]\n{}\n7\n[]\n' + b"[" * 100_000 + b"\n")
        file.write(b'\xff\n["0123", "wh')
    output.write("effects.csv", b"two")
    output.write("effects.csv", b"three")
    assert (tmp_path / "effects.csv").read_bytes() == b"three"


WRITER = """\
import sys
from pathlib import Path
from simlib.files import Output

folder, mark = Path(sys.argv[1]), sys.argv[2]
for i in range(40):
    Output(folder, "why").write("effects.csv", f"{mark} {i} ".encode() * 5000)
    Output(folder, f"why {mark}").write(f"own-{mark}.csv", f"{mark} {i}".encode())
"""


def test_two_analyses_in_one_folder_at_once(tmp_path: Path) -> None:
    """Each ends well, and what is there is whole, of one of them; no part of a file is left."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "out")]
    both = [
        subprocess.Popen([*command, mark], stderr=subprocess.PIPE, text=True) for mark in ("a", "b")
    ]
    assert [process.communicate()[1] for process in both] == ["", ""]
    assert left(tmp_path / "out") == {RECORD, "effects.csv", "own-a.csv", "own-b.csv"}
    text = (tmp_path / "out" / "effects.csv").read_text()
    assert text in {f"{mark} 39 " * 5000 for mark in "ab"}
    Output(tmp_path / "out", "why").write("effects.csv", b"later")


@pytest.mark.parametrize("name", ["\N{ROCKET}" * 60, "é" * 120, "x" * 250])
def test_a_long_name_that_the_disk_takes_is_written(name: str, tmp_path: Path) -> None:
    """Also where that of the temporary file beside it would be too long."""
    refuse_unwritable(tmp_path / name)
    write_file(tmp_path / name, b"one")
    assert left(tmp_path) == {name}


# before anything is computed


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("n" * 300, "cannot be written"),
        ("a\0b", "cannot be written"),
        (f"{'n' * 300}/x.csv", "cannot be written|cannot be used"),
        ("file/x.csv", "file: is no folder"),
        ("file/sub/x.csv", "file: is no folder"),
        (".", "is a directory"),
        ("", "is a directory"),
        ("..", "is a directory"),
    ],
)
def test_what_cannot_be_written_is_told_beforehand(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and nothing is made; `write_file` refuses the same."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"file")
    for call in (refuse_unwritable, lambda path: write_file(path, b"two", force=True)):
        with pytest.raises(StoreError) as caught:
            call(Path(name))
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(StoreError, match=message):
        refuse_unwritable(Path(name))
    assert left(tmp_path) == {"file"}


def test_what_can_be_written_is_not_refused(tmp_path: Path) -> None:
    """Negative control: new names in new folders, and a file that is there."""
    (tmp_path / "there.csv").write_bytes(b"there")
    refuse_unwritable(tmp_path / "a" / "b" / "c.csv", tmp_path / "there.csv")
    assert left(tmp_path) == {"there.csv"}


def test_inputs_and_their_own_files_are_told_beforehand(tmp_path: Path) -> None:
    """An input that was not read yet, a file of results that are read, one file twice."""
    events, results = tmp_path / "events.csv", tmp_path / "out"
    events.write_bytes(b"events")
    results.mkdir()
    (results / "manifest.json").write_bytes(b"{}")
    for paths in ([events], [tmp_path / "x" / ".." / "x.csv", tmp_path / "x.csv"]):
        with pytest.raises(StoreError, match=r"is an input|is asked for twice"):
            refuse_unwritable(*paths, inputs=[events, results])
    with pytest.raises(StoreError, match=r"manifest\.json: is an input"):
        refuse_unwritable(results / "manifest.json", inputs=[events, results])
    for name in (".", "manifest.json", "monthly/option=_/00000000-00000010.parquet"):
        with pytest.raises(StoreError, match=r"is an input|is a directory"):
            refuse_unwritable(tmp_path / "to come" / name, inputs=[tmp_path / "to come"])
    refuse_unwritable(results / "17.csv", results / "manifest.csv", inputs=[events, results])


def test_the_root_holds_no_results() -> None:
    for call in (
        lambda: Output(Path("/"), "why", force=True).refuse_unwritable(),
        lambda: Output(Path("/"), "why", force=True).write("simlib-test", b"two"),
    ):
        with pytest.raises(StoreError, match=r"^/: is the root of the file system"):
            call()


def test_a_disk_that_cannot_be_written_is_one_line(read_only_disk: Path) -> None:
    output = Output(read_only_disk / "out", "why")
    for call in (
        output.refuse_unwritable,
        lambda: output.write("effects.csv", b"one"),
        lambda: write_file(read_only_disk / "x.csv", b"one"),
        lambda: refuse_unwritable(read_only_disk / "x.csv"),
    ):
        with pytest.raises(StoreError, match=r"read_only(/.*)?: (nothing can|cannot) be (w|m)"):
            call()


# a disk that fills


def test_a_disk_that_fills_leaves_no_part_of_a_figure(small_disk: Path) -> None:
    """What bears a name is whole; with space again, the rest comes, over nothing but its own."""
    ensemble = ensemble_of(4)
    with pytest.raises(DiskFullError, match="the disk is full"):
        simlib.plot.figures(ensemble, small_disk / "figures")
    drawn = left(small_disk / "figures") - {RECORD, DRAWN}
    assert drawn
    assert json.loads((small_disk / "figures" / DRAWN).read_bytes())  # whole, too
    for name in drawn:
        assert (small_disk / "figures" / name).read_bytes().endswith(b"IEND\xaeB`\x82")
    subprocess.run(["mount", "-o", "remount,size=9M", str(small_disk)], check=True)  # noqa: S607
    written = simlib.plot.figures(ensemble, small_disk / "figures")
    assert left(small_disk / "figures") == {RECORD, DRAWN, *(path.name for path in written)}


# figures


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".SVG"])
def test_a_figure_is_the_same_each_time(suffix: str, tmp_path: Path) -> None:
    """No date and no chance in it: the same figure may be written again over itself."""
    for _ in range(2):
        ax = new_figure(3, 2).subplots()
        ax.fill_between([0, 1], [0, 1], hatch="//")
        ax.plot([0, 1], [0, 1], clip_on=True)
        save(ax, tmp_path / f"x{suffix}")
    data = (tmp_path / f"x{suffix}").read_bytes()
    assert b"Date" not in data
    ax.plot([0, 1], [1, 0])
    with pytest.raises(StoreError, match=OTHER):
        save(ax, tmp_path / f"x{suffix}")
    save(ax, tmp_path / f"x{suffix}", overwrite=True)
    assert (tmp_path / f"x{suffix}").read_bytes() != data


@pytest.mark.parametrize("name", ["x.xyz", "x", "x.jpg", ".png"])
def test_another_format_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=rf"{name}: must end in .png, .svg or .pdf$"):
        save(new_figure(1, 1), tmp_path / name)
    assert not left(tmp_path)


def test_no_drawing_goes_to_a_file_by_itself() -> None:
    assert image(new_figure(1, 1).subplots()).startswith(b"\x89PNG")


# names


@pytest.mark.parametrize("as_they_are", [False, True])
def test_names_that_fold_to_one_get_two_files(as_they_are: bool) -> None:  # noqa: FBT001
    """Nothing escapes from a folder, and no two names are one where capitals do not count."""
    names = [
        *("a b", "a-b", "A-B", "a/b", "../a b", "a.b", "a:b", "é", "è", "ё", "", " ", "..", "/"),
        *("x" * 300, "x" * 301, "CON", "con", "nul.x", "a-b-ab260486", "\udc80", "tempo.sd"),
    ]
    found = distinct(names, as_they_are=as_they_are)
    assert list(found) == names
    assert len({name.lower() for name in found.values()}) == len(names)
    for name in found.values():
        assert name
        assert Path(name).name == name
        assert not name.startswith((".", "-"))
        assert len(name) <= 110
        assert name.isascii()


def test_names_that_do_not_fold_stay_as_they_were() -> None:
    names = ["tempo.sd", "iraq_end_class.formally_extended", "Iraq", "a-b"]
    assert list(distinct(names, as_they_are=True).values()) == names
    assert list(distinct(["Iraq", "Syria", "North-East Syria"]).values()) == [
        *("iraq", "syria", "north-east-syria")
    ]


# tables

FORMULAS = [
    "a\r=1",
    "a\r\n=1",
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3+A1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    """In rows and headings, of tables and of rows; numbers stay numbers."""
    safe = text.replace("\r\n", "\n").replace("\r", "\n")
    safe = safe if safe.startswith("a") else f"'{safe}"
    table = pd.DataFrame({text: [text, "plain"], "n": [-1.5, np.nan]})
    for data in (csv_bytes(table), csv_of_rows([text, "n"], [[text, -1.5], ["plain", ""]])):
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
        assert rows == [[safe, "n"], [safe, "-1.5"], ["plain", ""]]


def test_signs_that_are_no_formula_stay() -> None:
    rows = [["-3.1 to 2", "+0.4", "-", "- 5 %", -2]]
    assert csv_of_rows(["a", "b", "c", "d", "e"], rows) == b"a,b,c,d,e\n-3.1 to 2,+0.4,-,- 5 %,-2\n"

"""Results directories: what is written is read back, and nothing else is trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from simlib.ensemble import open_results, store
from simlib.ensemble.store import FORMAT, Chunk, Directory, arrow, digest_of, pack
from simlib.ensemble.store.chunks import decode, encode, monthly_columns, positions
from simlib.ensemble.store.digest import replication_digests
from simlib.errors import SimulationError, StoreError
from simlib.files import slug

MANIFEST = {"simlib_results": FORMAT, "name": "small", "options": [""], "replications": 4}


def chunk(first: int, stop: int, option: str = "", scale: float = 1.0) -> Chunk:
    """Return a chunk whose outcome is its replication times a scale."""
    replications = np.arange(first, stop, dtype=np.int32)
    columns = {"replication": replications, "x": (scale * replications).tolist()}
    return pack(
        {"outcomes": arrow("outcomes", columns)}, option=option, first=first, stop=stop, seconds=1.0
    )


def files_of(directory: Directory) -> list[Path]:
    """Return the files of a directory."""
    return [path for path in directory.path.rglob("*") if path.is_file()]


def sidecar(path: Path, first: int = 0, stop: int = 2) -> Path:
    """Return the sidecar of a chunk of the scenario as written."""
    return path / "chunks" / "option=_" / f"{first:08d}-{stop:08d}.json"


def values(directory: Directory, option: str = "") -> list[float]:
    """Return the outcomes that a directory holds."""
    tables = directory.tables(option, "outcomes")
    return [x for table in tables for x in table.column("x").to_pylist()]


def test_chunks_are_read_in_order_of_replications_however_they_were_written(
    tmp_path: Path,
) -> None:
    directory = store.create(tmp_path / "out", MANIFEST)
    directory.write(chunk(2, 4))
    directory.write(chunk(0, 2))
    assert values(store.reopen(tmp_path / "out")) == [0.0, 1.0, 2.0, 3.0]


def test_no_temporary_file_and_no_pickle_is_left(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(0, 2))
    files = files_of(directory)
    assert {path.suffix for path in files} == {".json", ".parquet"}
    assert not any(path.name.startswith(".") for path in files)


def test_missing_replications_are_those_no_whole_chunk_holds(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(2, 4))
    directory.write(chunk(6, 8))
    assert directory.missing("", range(10)) == ([range(2), range(4, 6), range(8, 10)], [])
    assert directory.missing("", range(2, 4)) == ([], [])
    assert directory.missing("other", range(3)) == ([range(3)], [])


def test_a_chunk_without_its_sidecar_does_not_count(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(0, 2))
    sidecar(tmp_path).unlink()
    assert directory.missing("", range(2)) == ([range(2)], [])
    lost = f"{sidecar(tmp_path)}: is missing beside its tables"
    with pytest.raises(StoreError, match=lost):
        values(directory)
    assert directory.sweep() == [f"{lost}; set aside in corrupt/ and simulated again"]
    assert values(directory) == []


def test_a_damaged_chunk_is_set_aside_and_missing(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(0, 2))
    file = tmp_path / "outcomes" / "option=_" / "00000000-00000002.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(StoreError, match="damaged"):
        values(directory)
    gaps, notes = directory.missing("", range(2))
    assert gaps == [range(2)]
    assert notes == [
        f"{file}: damaged (its checksum differs); set aside in corrupt/ and simulated again"
    ]
    aside = tmp_path / "corrupt" / file.relative_to(tmp_path)
    assert aside.with_name(f"{file.name}.corrupt").read_bytes() == bytes(data)
    directory.write(chunk(0, 2))
    assert values(directory) == [0.0, 1.0]


def test_a_directory_of_other_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="not empty and holds no simlib results"):
        store.is_free(tmp_path)
    with pytest.raises(StoreError, match="is a file"):
        store.is_free(tmp_path / "notes.txt")
    assert store.is_free(tmp_path / "new")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no simlib results"),
        ("{", "is no JSON"),
        ("[1]", "holds no mapping"),
        ("[" * 100_000, "is no JSON"),
        ('{"simlib_results": 1}', "results of format 3 can be read"),
    ],
)
def test_a_manifest_that_is_none_is_one_clear_line(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StoreError, match=message):
        open_results(tmp_path)


def test_a_sidecar_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(0, 2))
    sidecar(tmp_path).write_text(json.dumps({"first": 0}))
    with pytest.raises(StoreError, match="is no sidecar"):
        directory.entries("")


def test_options_have_folders_that_no_name_escapes(tmp_path: Path) -> None:
    names = ["", "_", "a", "A", "../../a", "con", "CON", "a b", "é"]
    assert len({slug(name) for name in names}) == len(names)
    for name in names:
        assert (tmp_path / slug(name)).resolve().parent == tmp_path.resolve()


def test_a_temporary_directory_goes_with_its_last_user() -> None:
    directory = store.create(None, MANIFEST)
    path = directory.path
    assert path.exists()
    del directory
    assert not path.exists()


def digest(directory: Directory) -> str:
    """Return the result digest."""
    return digest_of(("", entry.first, entry.digests()) for entry in directory.entries(""))


def test_the_digest_does_not_depend_on_how_rows_are_cut(tmp_path: Path) -> None:
    whole, halves = store.create(tmp_path / "a", MANIFEST), store.create(tmp_path / "b", MANIFEST)
    whole.write(chunk(0, 4))
    halves.write(chunk(2, 4))
    halves.write(chunk(0, 2))
    assert digest(whole) == digest(halves)


def test_the_digest_depends_on_every_value(tmp_path: Path) -> None:
    one, other = store.create(tmp_path / "a", MANIFEST), store.create(tmp_path / "b", MANIFEST)
    one.write(chunk(0, 4))
    other.write(chunk(0, 4, scale=np.nextafter(1.0, 2.0)))
    assert digest(one) != digest(other)
    same = chunk(0, 4).digests[0], chunk(0, 4, scale=2.0).digests[0]
    assert same[0] == same[1], "0 times any scale is 0"


def test_the_digest_depends_on_which_replications_and_options_they_are() -> None:
    digests = chunk(0, 2).digests
    ways = [("", 0, digests), ("", 1, digests), ("a", 0, digests), ("", 0, digests[::-1])]
    assert len({digest_of([way]) for way in ways}) == len(ways)


def digest_of_table(table: str, columns: dict[str, object]) -> str:
    """Return the digest of one replication with one table."""
    rows = arrow(table, {"replication": np.zeros(1, dtype=np.int32), **columns})
    return replication_digests({table: decode(encode(rows))}, range(1))[0]


def test_every_nan_is_the_same_nan() -> None:
    quiet = np.array([0x7FF8000000000000], dtype=np.uint64).view(np.float64)
    other = np.array([0xFFF8000000000001], dtype=np.uint64).view(np.float64)
    assert digest_of_table("outcomes", {"x": quiet}) == digest_of_table("outcomes", {"x": other})


def test_texts_columns_and_tables_are_told_apart() -> None:
    ways: list[tuple[str, dict[str, object]]] = [
        ("outcomes", {"x": ["ab"], "y": ["c"]}),
        ("outcomes", {"x": ["a"], "y": ["bc"]}),
        ("outcomes", {"xy": ["ab"], "": ["c"]}),
        ("parameters", {"x": ["ab"], "y": ["c"]}),
        ("decisions", {"place": [None]}),
        ("decisions", {"place": [""]}),
    ]
    assert len({digest_of_table(*way) for way in ways}) == len(ways)


def test_no_row_of_one_table_is_taken_for_one_of_another_replication() -> None:
    """Two rows in one replication and none in the next are not one row in each."""

    def digests(of: list[int]) -> list[str]:
        rows = arrow("monthly", {"replication": np.array(of, dtype=np.int32), "count": [1, 1]})
        return replication_digests({"monthly": rows}, range(2))

    assert digests([0, 0]) != digests([0, 1])
    assert digests([0, 1])[0] == digests([0, 1])[1]


def test_text_of_tracebacks_is_not_in_the_digest() -> None:
    texts = [{"agent": ["isf"], "traceback": [t], "error": [t]} for t in ("line 1", "line 2")]
    assert len({digest_of_table("failures", dict(text)) for text in texts}) == 1


def test_a_chunk_that_comes_twice_is_one_or_a_hard_error(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(0, 2))
    before = sidecar(tmp_path).stat().st_mtime_ns
    directory.write(chunk(0, 2))
    assert sidecar(tmp_path).stat().st_mtime_ns == before
    with pytest.raises(SimulationError, match="not deterministic: replication 1 was simulated tw"):
        directory.write(chunk(0, 2, scale=2.0))
    assert values(directory) == [0.0, 1.0]


def test_the_second_run_on_a_directory_names_the_first(tmp_path: Path) -> None:
    with (
        store.locked(tmp_path),
        pytest.raises(StoreError, match=f"is being written by process {os.getpid()} on "),
        store.locked(tmp_path),
    ):
        pass
    with store.locked(tmp_path):
        pass


def test_monthly_counts_come_back_without_their_zeros() -> None:
    counts = [np.array([[0, 2], [1, 0]], dtype=np.int32), np.zeros((2, 2), dtype=np.int32)]
    months = np.array(["2025-01-01", "2025-02-01"], dtype="datetime64[D]")
    columns = monthly_columns([5, 6], counts, months, (("raid", "Anbar"), ("raid", "Homs")))
    table = decode(encode(arrow("monthly", columns)))
    rows = [(r["replication"], str(r["month"]), r["place"], r["count"]) for r in table.to_pylist()]
    assert rows == [(5, "2025-01-01", "Homs", 2), (5, "2025-02-01", "Anbar", 1)]
    assert positions(table.column("place"), ["Homs", "Anbar"]).tolist() == [0, 1]

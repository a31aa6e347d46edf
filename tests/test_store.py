"""Results directories: what is written is read back, and nothing else is trusted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simlib.ensemble import open_results, store
from simlib.ensemble.store import Chunk, Directory, digest_of, encode
from simlib.ensemble.store.chunks import TABLES, decode, monthly_columns, positions
from simlib.ensemble.store.directory import slug
from simlib.errors import StoreError

MANIFEST = {"simlib_results": 1, "name": "small", "options": [""], "replications": 4}


def chunk(first: int, stop: int, option: str = "", scale: float = 1.0) -> Chunk:
    """Return a chunk whose outcome is its replication times a scale."""
    replications = np.arange(first, stop, dtype=np.int32)
    tables = {table: encode(table, {"replication": replications}) for table in TABLES}
    columns = {"replication": replications, "x": (scale * replications).tolist()}
    tables["outcomes"] = encode("outcomes", columns)
    return Chunk(option, first, stop, tables, 0, 1.0, 0.5)


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
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".parquet"}
    assert not any(path.name.startswith(".") for path in files)


def test_missing_replications_are_those_no_whole_chunk_holds(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(2, 4))
    directory.write(chunk(6, 8))
    assert directory.missing("", range(10)) == [range(2), range(4, 6), range(8, 10)]
    assert directory.missing("", range(2, 4)) == []
    assert directory.missing("other", range(3)) == [range(3)]


def test_a_chunk_without_its_sidecar_does_not_count(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(0, 2))
    (tmp_path / "chunks" / "_" / "0000000-0000002.json").unlink()
    assert directory.missing("", range(2)) == [range(2)]
    assert values(directory) == []


def test_a_damaged_chunk_is_set_aside_and_missing(tmp_path: Path) -> None:
    directory = store.create(tmp_path, MANIFEST)
    directory.write(chunk(0, 2))
    file = tmp_path / "chunks" / "_" / "0000000-0000002.outcomes.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(StoreError, match="damaged"):
        values(directory)
    assert directory.missing("", range(2)) == [range(2)]
    assert file.with_name(f"{file.name}.corrupt").exists()
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
        ('{"simlib_results": 2}', "results of format 1 can be read"),
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
    sidecar = tmp_path / "chunks" / "_" / "0000000-0000002.json"
    sidecar.write_text(json.dumps({"first": 0}))
    with pytest.raises(StoreError, match="is no sidecar"):
        directory.entries("")


def test_options_have_folders_that_no_name_escapes(tmp_path: Path) -> None:
    names = ["a", "A", "../../a", "con", "CON", "a b", "é"]
    assert len({slug(name) for name in names}) == len(names)
    for name in names:
        assert (tmp_path / slug(name)).resolve().parent == tmp_path.resolve()


def test_a_temporary_directory_goes_with_its_last_user() -> None:
    directory = store.create(None, MANIFEST)
    path = directory.path
    assert path.exists()
    del directory
    assert not path.exists()


def parts(directory: Directory) -> list[tuple[str, str, object]]:
    """Return what the digest is of."""
    return [("", table, rows) for table in TABLES for rows in directory.tables("", table)]


def test_the_digest_does_not_depend_on_how_rows_are_cut(tmp_path: Path) -> None:
    whole, halves = store.create(tmp_path / "a", MANIFEST), store.create(tmp_path / "b", MANIFEST)
    whole.write(chunk(0, 4))
    halves.write(chunk(2, 4))
    halves.write(chunk(0, 2))
    assert digest_of(parts(whole)) == digest_of(parts(halves))


def test_the_digest_depends_on_every_value(tmp_path: Path) -> None:
    one, other = store.create(tmp_path / "a", MANIFEST), store.create(tmp_path / "b", MANIFEST)
    one.write(chunk(0, 4))
    other.write(chunk(0, 4, scale=np.nextafter(1.0, 2.0)))
    assert digest_of(parts(one)) != digest_of(parts(other))


def outcome_digest(columns: dict[str, object]) -> str:
    """Return the digest of one table of outcomes."""
    return digest_of([("", "outcomes", decode(encode("outcomes", columns)))])


def test_every_nan_is_the_same_nan() -> None:
    quiet = np.array([0x7FF8000000000000], dtype=np.uint64).view(np.float64)
    other = np.array([0xFFF8000000000001], dtype=np.uint64).view(np.float64)
    assert outcome_digest({"x": quiet}) == outcome_digest({"x": other})


def test_texts_that_join_to_the_same_letters_differ() -> None:
    assert outcome_digest({"x": ["ab", "c"]}) != outcome_digest({"x": ["a", "bc"]})
    table = {"replication": [0], "place": [None]}
    empty = {"replication": [0], "place": [""]}
    digests = {
        digest_of([("", "decisions", decode(encode("decisions", t)))]) for t in (table, empty)
    }
    assert len(digests) == 2


def test_text_of_tracebacks_is_not_in_the_digest() -> None:
    def digest(text: str) -> str:
        columns = {"replication": [1], "agent": ["isf"], "traceback": [text], "error": [text]}
        return digest_of([("", "failures", decode(encode("failures", columns)))])

    assert digest("line 1") == digest("line 2")


def test_monthly_counts_come_back_without_their_zeros() -> None:
    counts = [np.array([[0, 2], [1, 0]], dtype=np.int32), np.zeros((2, 2), dtype=np.int32)]
    months = np.array(["2025-01-01", "2025-02-01"], dtype="datetime64[D]")
    columns = monthly_columns([5, 6], counts, months, (("raid", "Anbar"), ("raid", "Homs")))
    table = decode(encode("monthly", columns))
    rows = [(r["replication"], str(r["month"]), r["place"], r["count"]) for r in table.to_pylist()]
    assert rows == [(5, "2025-01-01", "Homs", 2), (5, "2025-02-01", "Anbar", 1)]
    assert positions(table.column("place"), ["Homs", "Anbar"]).tolist() == [0, 1]

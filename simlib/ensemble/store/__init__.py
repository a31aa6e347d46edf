"""Results on disk: a directory of immutable, hashed chunk files and one manifest."""

from simlib.ensemble.store.chunks import TABLES, Chunk, Columns, arrow, pack
from simlib.ensemble.store.digest import digest_of
from simlib.ensemble.store.directory import (
    FORMAT,
    MANIFEST,
    Directory,
    create,
    is_free,
    locked,
    reopen,
)
from simlib.ensemble.store.entries import Entry

__all__ = [
    "FORMAT",
    "MANIFEST",
    "TABLES",
    "Chunk",
    "Columns",
    "Directory",
    "Entry",
    "arrow",
    "create",
    "digest_of",
    "is_free",
    "locked",
    "pack",
    "reopen",
]

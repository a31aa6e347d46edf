"""Results on disk: a directory of immutable, hashed chunk files and one manifest."""

from simlib.ensemble.store.chunks import TABLES, Chunk, Columns, arrow, pack
from simlib.ensemble.store.digest import digest_of
from simlib.ensemble.store.directory import (
    BEFORE,
    FORMAT,
    MANIFEST,
    SAVED,
    Directory,
    create,
    has_lost_manifest,
    is_free,
    reopen,
)
from simlib.ensemble.store.entries import Entry
from simlib.ensemble.store.locking import locked

__all__ = [
    "BEFORE",
    "FORMAT",
    "MANIFEST",
    "SAVED",
    "TABLES",
    "Chunk",
    "Columns",
    "Directory",
    "Entry",
    "arrow",
    "create",
    "digest_of",
    "has_lost_manifest",
    "is_free",
    "locked",
    "pack",
    "reopen",
]

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
    make_folder,
    reopen,
)
from simlib.ensemble.store.entries import Entry
from simlib.ensemble.store.files import DiskFullError, size

__all__ = [
    "FORMAT",
    "MANIFEST",
    "TABLES",
    "Chunk",
    "Columns",
    "Directory",
    "DiskFullError",
    "Entry",
    "arrow",
    "create",
    "digest_of",
    "is_free",
    "locked",
    "make_folder",
    "pack",
    "reopen",
    "size",
]

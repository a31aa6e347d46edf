"""Results on disk: a directory of immutable, hashed chunk files and one manifest."""

from simlib.ensemble.store.chunks import Chunk, Columns, encode
from simlib.ensemble.store.digest import digest_of
from simlib.ensemble.store.directory import Directory, create, is_free, reopen

__all__ = ["Chunk", "Columns", "Directory", "create", "digest_of", "encode", "is_free", "reopen"]

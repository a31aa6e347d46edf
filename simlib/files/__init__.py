"""The one room that reads, writes and removes files.

Whatever simlib writes is whole under its name or not there, replaces nothing that it did
not write, and goes through no link; whatever it reads is a regular file of bounded size.
"""

from simlib.files.early import refuse_unwritable
from simlib.files.links import own_files, refuse_links, remove_own
from simlib.files.names import as_json, distinct, size, slug
from simlib.files.outputs import Output, refuse_replacing, write_file
from simlib.files.reading import read_json, read_regular
from simlib.files.seals import canonical, is_sealed, sealed
from simlib.files.tables import csv_bytes, csv_of_rows
from simlib.files.writing import DiskFullError, make_folder, write_whole

__all__ = [
    "DiskFullError",
    "Output",
    "as_json",
    "canonical",
    "csv_bytes",
    "csv_of_rows",
    "distinct",
    "is_sealed",
    "make_folder",
    "own_files",
    "read_json",
    "read_regular",
    "refuse_links",
    "refuse_replacing",
    "refuse_unwritable",
    "remove_own",
    "sealed",
    "size",
    "slug",
    "write_file",
    "write_whole",
]

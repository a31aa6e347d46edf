"""The one room that reads, writes and removes files.

Whatever simlib writes is whole under its name or not there, replaces nothing that it did
not write, and goes through no link; whatever it reads is a regular file of bounded size.
"""

from simlib.files.csv_tables import csv_bytes, csv_of_rows
from simlib.files.folders import (
    is_own,
    move_file,
    own_files,
    own_names,
    private_folder,
    refuse_links,
    remove_file,
    remove_folder,
    remove_own,
    temporary_folder,
)
from simlib.files.names import SEAL, canonical, distinct, read_sealed, sealed_json, size, slug
from simlib.files.outputs import Output, refuse_replacing, refuse_unwritable, write_file
from simlib.files.safe_reading import raising, read_regular
from simlib.files.safe_writing import DiskFullError, make_folder, write_whole

__all__ = [
    "SEAL",
    "DiskFullError",
    "Output",
    "canonical",
    "csv_bytes",
    "csv_of_rows",
    "distinct",
    "is_own",
    "make_folder",
    "move_file",
    "own_files",
    "own_names",
    "private_folder",
    "raising",
    "read_regular",
    "read_sealed",
    "refuse_links",
    "refuse_replacing",
    "refuse_unwritable",
    "remove_file",
    "remove_folder",
    "remove_own",
    "sealed_json",
    "size",
    "slug",
    "temporary_folder",
    "write_file",
    "write_whole",
]

"""Notebooks of the examples: executed in a folder of their own, and written without traces.

``python -m support.notebooks FILES`` renews the outputs of some.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

MOST_SECONDS = 600


def executed(file: Path, folder: Path) -> Any:
    """Return a notebook with the outputs of a fresh kernel that works in a folder."""
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=MOST_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
    )
    return client.execute()


def renew(file: Path) -> None:
    """Write a notebook with new outputs."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = executed(file, Path(folder))
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "name": "python3"}}
    for cell in notebook.cells:
        cell.metadata = {}
    nbformat.write(notebook, file)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        renew(Path(name))

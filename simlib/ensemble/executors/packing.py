"""Code and data on their way to a worker. Nothing packed is ever written to a file."""

from __future__ import annotations

import importlib
import pickle
from typing import Any


def pack(what: object) -> bytes:
    """Return anything as bytes for a worker, also what a script or a notebook defines."""
    data: bytes = importlib.import_module("cloudpickle").dumps(what)
    return data


def unpack(data: bytes) -> Any:
    """Return what `pack` packed. Only bytes from the parent process ever come here."""
    return pickle.loads(data)  # noqa: S301

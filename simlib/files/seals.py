"""JSON files that carry the hash of themselves, so that a change of any byte shows."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from simlib.errors import StoreError
from simlib.files.names import as_json
from simlib.files.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SEAL = "sha256_of_what_follows"
_HEAD = len(f'{{\n "{SEAL}": "",\n') + 64


def canonical(value: Any) -> str:
    """Return the one JSON text of a value.

    Raises
    ------
    ValueError
        A number in it is not finite.

    Examples
    --------
    >>> canonical({"b": 1.0, "a": ["\N{LATIN SMALL LETTER U WITH DIAERESIS}"]})
    '{"a":["ü"],"b":1.0}'
    """
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def sealed_json(content: Mapping[str, Any]) -> bytes:
    """Return a mapping as JSON text whose first entry is the SHA-256 of all text after it.

    Examples
    --------
    >>> sealed_json({"n": 1}).decode().splitlines()[2:]
    [' "n": 1', '}']
    """
    body = as_json({key: value for key, value in content.items() if key != SEAL})[2:]
    return f'{{\n "{SEAL}": "{hashlib.sha256(body).hexdigest()}",\n'.encode() + body


def read_sealed(path: Path, most_bytes: int) -> dict[str, Any]:
    """Return the mapping that one of simlib's own JSON files holds.

    A file of a version that did not seal is returned as it is, without the entry `SEAL`.

    Parameters
    ----------
    path
        The file.
    most_bytes
        Size cap.

    Raises
    ------
    StoreError
        It cannot be read, holds anything else, or is not as it was sealed.
    """
    data = read_regular(path, most_bytes, is_input=False)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: damaged (is no JSON: {error})") from error
    if not isinstance(found, dict):
        raise StoreError(f"{path}: damaged (holds no mapping)")
    if SEAL in found and found[SEAL] != hashlib.sha256(data[_HEAD:]).hexdigest():
        raise StoreError(f"{path}: damaged (its text was changed: its hash differs)")
    return found

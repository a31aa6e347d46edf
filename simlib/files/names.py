"""Names of files that no text escapes from, sizes in words, and JSON that carries its own hash.

A sealed file holds the hash of its text, so that a change of any byte shows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from simlib.errors import StoreError
from simlib.files.safe_reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


_RESERVED = {"con", "prn", "aux", "nul", "_"} | {
    f"{port}{i}" for port in ("com", "lpt") for i in range(10)
}
"""Names that are devices on Windows, where no file can bear them; and our own."""
_MOST = 40
_SAFE = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?")
_HASHED = re.compile(r".*-[0-9a-f]{8}")
"""Names that might be another's with its hash."""


def slug(name: str) -> str:
    """A file name for a name: plain where the name is, else with a hash.

    Examples
    --------
    >>> slug("extend_12m"), slug("")
    ('extend_12m', '_')
    >>> slug("../Con")
    'con-d586e099'
    """
    plain = _folded(name)
    if plain == name and plain and plain not in _RESERVED:
        return plain
    if not name:
        return "_"
    return f"{plain}-{_hash(name)}"


def distinct(names: Iterable[str], *, as_they_are: bool = False) -> dict[str, str]:
    """A readable file name for each of several names, none for two of them.

    With `as_they_are` a name that any file can bear stays, with its dots and capitals.

    Examples
    --------
    >>> distinct(["North", "South"])
    {'North': 'north', 'South': 'south'}
    >>> distinct(["a b", "a-b"])
    {'a b': 'a-b-7faae47c', 'a-b': 'a-b-ab260486'}
    >>> distinct(["tempo.sd", "North", "N/A"], as_they_are=True)
    {'tempo.sd': 'tempo.sd', 'North': 'North', 'N/A': 'n-a'}
    """
    plain = {
        name: name if as_they_are and _SAFE.fullmatch(name) else _folded(name)
        for name in dict.fromkeys(names)
    }
    # A file system may take capitals and small letters for one.
    count = Counter(folded.lower() for folded in plain.values())
    return {
        name: folded
        if count[folded.lower()] == 1 and not _is_reserved(folded)
        else f"{folded}-{_hash(name)}".lstrip("-")
        for name, folded in plain.items()
    }


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")[:_MOST]


def _is_reserved(name: str) -> bool:
    stem = name.lower().partition(".")[0]
    return not stem or stem in _RESERVED or _HASHED.fullmatch(name) is not None


def _hash(name: str) -> str:
    # Text that no UTF-8 can hold has a name too.
    return hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=4).hexdigest()


def as_json(content: dict[str, Any]) -> bytes:
    """A mapping as JSON text that people read."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def size(n_bytes: float) -> str:
    """A number of bytes as short text.

    Examples
    --------
    >>> size(1_536), size(9_400_000_000)
    ('2 kB', '9.4 GB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return f"{max(1, round(n_bytes / 1e3))} kB"


SEAL = "sha256_of_what_follows"
_HEAD = len(f'{{\n "{SEAL}": "",\n') + 64


def canonical(value: Any) -> str:
    """The one JSON text of a value; raises `ValueError` where a number in it is not finite.

    Examples
    --------
    >>> canonical({"b": 1.0, "a": ["\N{LATIN SMALL LETTER U WITH DIAERESIS}"]})
    '{"a":["ü"],"b":1.0}'
    """
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def sealed_json(content: Mapping[str, Any]) -> bytes:
    """A mapping as JSON text whose first entry is the SHA-256 of all text after it.

    Examples
    --------
    >>> sealed_json({"n": 1}).decode().splitlines()[2:]
    [' "n": 1', '}']
    """
    body = as_json({key: value for key, value in content.items() if key != SEAL})[2:]
    return f'{{\n "{SEAL}": "{hashlib.sha256(body).hexdigest()}",\n'.encode() + body


def read_sealed(path: Path, most_bytes: int) -> dict[str, Any]:
    """The mapping that one of simlib's own JSON files holds.

    A file of a version that did not seal is returned as it is, without the entry `SEAL`. Raises
    `StoreError` where it cannot be read, holds anything else, or is not as it was sealed.
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

"""Names of files that no text escapes from, and sizes in words."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_RESERVED = {"con", "prn", "aux", "nul", "_"} | {
    f"{port}{i}" for port in ("com", "lpt") for i in range(10)
}
"""Names that are devices on Windows, where no file can bear them; and our own."""
_MOST = 40


def slug(name: str) -> str:
    """Return a file name for a name: plain where the name is, else with a hash.

    Examples
    --------
    >>> slug("extend_12m"), slug("")
    ('extend_12m', '_')
    >>> slug("../Con")
    'con-d586e099'
    """
    plain = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")[:_MOST]
    if plain == name and plain and plain not in _RESERVED:
        return plain
    if not name:
        return "_"
    return f"{plain}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def distinct(names: Iterable[str]) -> dict[str, str]:
    """Return a readable file name for each of several names, none for two of them.

    Examples
    --------
    >>> distinct(["Iraq", "Syria"])
    {'Iraq': 'iraq', 'Syria': 'syria'}
    >>> distinct(["a b", "a-b"])
    {'a b': 'a-b-7faae47c', 'a-b': 'a-b-ab260486'}
    """
    every = list(dict.fromkeys(names))
    plain = {name: re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")[:_MOST] for name in every}
    count: dict[str, int] = {}
    for folded in plain.values():
        count[folded] = count.get(folded, 0) + 1
    return {
        name: folded
        if folded and folded not in _RESERVED and count[folded] == 1
        else f"{folded}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}".lstrip("-")
        for name, folded in plain.items()
    }


def as_json(content: dict[str, Any]) -> bytes:
    """Return a mapping as JSON text that people read."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def size(n_bytes: float) -> str:
    """Return a number of bytes as short text.

    Examples
    --------
    >>> size(1_536), size(9_400_000_000)
    ('2 kB', '9.4 GB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return f"{max(1, round(n_bytes / 1e3))} kB"

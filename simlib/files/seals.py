"""Mappings that carry the hash of themselves, so that a change shows."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEAL = "sha256_of_the_rest"


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


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with the SHA-256 of its canonical text as one more entry."""
    bare = {key: value for key, value in content.items() if key != _SEAL}
    return {**bare, _SEAL: _hash(bare)}


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether a mapping carries the hash of the rest of it.

    Examples
    --------
    >>> is_sealed(sealed({"n": 1})), is_sealed({**sealed({"n": 1}), "n": 2}), is_sealed({})
    (True, False, False)
    """
    bare = {key: value for key, value in content.items() if key != _SEAL}
    try:
        return content.get(_SEAL) == _hash(bare)
    except ValueError:
        return False


def _hash(bare: Mapping[str, Any]) -> str:
    # What JSON reads back is what was hashed: text that no UTF-8 can hold stays hashable.
    return hashlib.sha256(canonical(bare).encode(errors="surrogatepass")).hexdigest()

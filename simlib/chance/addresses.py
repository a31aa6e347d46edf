"""Names to addresses: 64-bit hashes that never depend on order, process or platform."""

from __future__ import annotations

import functools
import hashlib


@functools.lru_cache(maxsize=65536)
def name_hash(text: str) -> int:
    """Return the 64-bit address of a name (blake2b, little-endian).

    Examples
    --------
    >>> name_hash("raid|North|guards")
    13115751272118888585
    """
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")

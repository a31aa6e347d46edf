"""How figures spell the names that identifiers write in lower case."""

from __future__ import annotations

_NAMES = (
    "ISF ISIS PKK SDF HTS SNA PMF US UK NATO UCDP ACLED "
    "Coalition Damascus Iran Iraq Israel Israeli Syria Turkish"
)
SPELLED = {name.lower(): name for name in _NAMES.split()} | {"turkiye": "Türkiye"}
"""Name by what identifiers write."""

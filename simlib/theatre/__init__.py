"""One situation: Iraq and Syria, the parties there and the questions about them."""

_NAMES = (
    "ISF ISIS PKK SDF HTS SNA PMF US UK NATO UCDP ACLED "
    "Coalition Damascus Iran Iraq Israel Israeli Syria Turkish"
)
SPELLED = {name.lower(): name for name in _NAMES.split()} | {"turkiye": "Türkiye"}
"""How figures spell the names that identifiers write in lower case."""

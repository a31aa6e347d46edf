"""How people read names that identifiers write in lower case: the one rule for all of them."""

from __future__ import annotations

import functools
import re
import sys

from simlib.packages import brought, loaded, refused

SPELLINGS = "simlib.spellings"
"""Entry points of this name say how names are spelled that identifiers write in lower case."""
_JOINTS = re.compile(r"_|(?<=\w)\.(?=[^\W\d])")


def words(name: str) -> str:
    """An identifier as words; so are those of a text, whose numbers and full stops stay.

    Examples
    --------
    >>> words("raids_north.year_1"), words("raid.rate > 0.5")
    ('raids north year 1', 'raid rate > 0.5')
    """
    spelled, found = _spelled(tuple(sys.path))
    text = _JOINTS.sub(" ", name)
    return found.sub(lambda match: spelled[match[0]], text) if spelled else text


def heading(name: str) -> str:
    """An identifier as the words of a title."""
    text = words(name)
    return text[:1].upper() + text[1:]


@functools.cache
def _spelled(_path: tuple[str, ...]) -> tuple[dict[str, str], re.Pattern[str]]:
    """How installed packages spell words, and what finds these; longer ones first."""
    spelled: dict[str, str] = {}
    for entries in brought(SPELLINGS).values():
        for entry in entries:
            names = loaded(entry)
            if not isinstance(names, dict):
                raise refused(entry, "must be a mapping of names", names)
            spelled |= names
    longest_first = sorted(map(re.escape, spelled), key=len, reverse=True)
    return spelled, re.compile(rf"\b(?:{'|'.join(longest_first)})\b")

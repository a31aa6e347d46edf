"""How messages show what was met: on one line, short, with nothing a terminal obeys."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

LONGEST_SHOWN = 60
LONGEST_COMPARED = 80
MOST_COMPARED = 1000
MOST_LISTED = 40
MOST_GUESSED = 3
CERTAIN = 0.9
"""Likeness from which on a name is the one that was meant, with a slip of the pen."""

AS_WRITTEN = "the scenario as written"
"""What the option without a name is called in sentences."""


def shown(text: str) -> str:
    r"""Text between quotes, escaped and at most `LONGEST_SHOWN` characters long.

    Examples
    --------
    >>> print(shown("a" + chr(27) + "[31m"))
    'a\x1b[31m'
    """
    short = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
    return repr(short)


def bare(text: str) -> str:
    """Text as it is when it is harmless and short, else as `shown` does."""
    harmless = text.isprintable() and 0 < len(text) <= LONGEST_SHOWN
    return text if harmless else shown(text)


def dotted(path: Sequence[str | int]) -> str:
    """A path as messages write it.

    Examples
    --------
    >>> dotted(("series", "press", "rows", 0, "in"))
    'series.press.rows[0].in'
    """
    parts = [f"[{step}]" if isinstance(step, int) else f".{bare(step)}" for step in path]
    return "".join(parts).removeprefix(".")


def near(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` for the closest known names, or nothing.

    Names that begin with all that is written go before one that only looks like it.

    Examples
    --------
    >>> near("raids", ["raiders", "raids_north", "raids_south"])
    "did you mean 'raids_north' or 'raids_south'?"
    """
    ordered = sorted(known)
    if len(name) > LONGEST_COMPARED or len(ordered) > MOST_COMPARED:
        return ""
    folded = {other.casefold(): other for other in reversed(ordered)}
    begun = [other for other in ordered if other.casefold().startswith(f"{name.casefold()}_")]
    found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    is_certain = bool(found) and difflib.SequenceMatcher(None, name, found[0]).ratio() > CERTAIN
    close = [folded[each] for each in found] if is_certain or not begun else begun[:MOST_GUESSED]
    return f"did you mean {' or '.join(map(shown, close))}?" if close else ""


def listed(known: Iterable[str]) -> str:
    """Names one after the other, sorted; only so many of them."""
    ordered = sorted(known)
    rest = len(ordered) - MOST_LISTED
    names = ", ".join(bare(name) for name in ordered[:MOST_LISTED])
    return f"{names} and {rest} more" if rest > 0 else names


def near_or_all(name: str, known: Iterable[str], what: str = "known") -> str:
    """The closest known name, and all of them when they are few."""
    ordered = sorted(known)
    guess = near(name, ordered)
    if len(ordered) > MOST_LISTED:
        return guess
    everything = f"{what}: {listed(ordered) or 'none'}"
    return f"{guess} {everything}" if guess else everything

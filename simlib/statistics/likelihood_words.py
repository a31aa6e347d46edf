"""Words of likelihood, which never stand without their number.

Intelligence Community Directive 203, "Analytic Standards" (2015), gives each word its range.
"""

from __future__ import annotations

from bisect import bisect_right

_WORDS = (
    "almost no chance",
    "very unlikely",
    "unlikely",
    "a roughly even chance",
    "likely",
    "very likely",
    "almost certain",
)
_EDGES = (0.05, 0.20, 0.45, 0.55, 0.80, 0.95)
"""Where one word ends and the next begins; an edge belongs to the one above."""
_STARTS = {"almost no chance": "there is", "a roughly even chance": "there is"}


def word_of(probability: float) -> str:
    """The word for a probability.

    Examples
    --------
    >>> word_of(0.03), word_of(0.2), word_of(0.5), word_of(0.97)
    ('almost no chance', 'unlikely', 'a roughly even chance', 'almost certain')
    """
    return _WORDS[bisect_right(_EDGES, probability)]


def opening_of(probability: float) -> str:
    """How a sentence on what has a probability begins, up to ``that``.

    Examples
    --------
    >>> opening_of(0.1), opening_of(0.5)
    ('it is very unlikely', 'there is a roughly even chance')
    """
    word = word_of(probability)
    return f"{_STARTS.get(word, 'it is')} {word}"


def spanned(low: float, high: float) -> str:
    """Which words an interval spans; empty where it lies within one.

    Examples
    --------
    >>> spanned(0.12, 0.31), spanned(0.21, 0.31)
    ('very unlikely to unlikely', '')
    """
    first, last = word_of(low), word_of(high)
    return "" if first == last else f"{first} to {last}"

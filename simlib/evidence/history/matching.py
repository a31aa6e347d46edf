"""Rules of a mapping applied to rows."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.history.mapping import EventMapping, Rule

NO_RULE = -1
_NAMES = ("country", "side_a", "side_b", "event_type", "sub_event_type")


def matched(frame: pd.DataFrame, mapping: EventMapping, source: str) -> NDArray[np.int64]:
    """Return for each row the index of the first rule that fits, or `NO_RULE`."""
    frame = frame.assign(**{name: frame[name].astype("category") for name in _NAMES})
    chosen = np.full(len(frame), NO_RULE, dtype=np.int64)
    for index, rule in enumerate(mapping.rules):
        if rule.source == source:
            chosen[(chosen == NO_RULE) & _fits(frame, rule)] = index
    return chosen


def _fits(frame: pd.DataFrame, rule: Rule) -> NDArray[np.bool_]:
    fits = np.ones(len(frame), dtype=np.bool_)
    for name in ("country", "event_type", "sub_event_type"):
        wanted = getattr(rule, name)
        if wanted:
            fits &= _named(frame[name], wanted)
    if rule.conflict:
        fits &= frame["conflict"].isin(rule.conflict).to_numpy()
    if rule.since is not None:
        fits &= (frame["date"] >= np.datetime64(rule.since)).to_numpy()
    if rule.until is not None:
        fits &= (frame["date"] <= np.datetime64(rule.until)).to_numpy()
    if rule.between:
        one, other = rule.between
        is_between = _sides(frame, one, other) | _sides(frame, other, one)
        # Where a file has no sides the conflict alone must tell.
        fits &= (is_between | _without_sides(frame)) if rule.conflict else is_between
    if rule.only_lost:
        fits &= _only_lost(frame, rule.only_lost)
    return fits


def _without_sides(frame: pd.DataFrame) -> NDArray[np.bool_]:
    return ((frame["side_a"] == "") & (frame["side_b"] == "")).to_numpy()


def _sides(
    frame: pd.DataFrame, side_a: tuple[str, ...], side_b: tuple[str, ...]
) -> NDArray[np.bool_]:
    return _named(frame["side_a"], side_a) & _named(frame["side_b"], side_b)


def _named(values: pd.Series[str], patterns: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which values one of some patterns fits; case does not matter."""
    either = "|".join(f"(?:{fnmatch.translate(pattern.casefold())})" for pattern in patterns)
    fits = re.compile(either).match
    known = np.array([fits(name.casefold()) is not None for name in values.cat.categories])
    return known[values.cat.codes.to_numpy()]


def _only_lost(frame: pd.DataFrame, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return where all of the dead are of a side of some name."""
    deaths = frame["deaths"].to_numpy()
    result = np.zeros(len(frame), dtype=np.bool_)
    for side in ("a", "b"):
        of_side = frame[f"deaths_{side}"].to_numpy()
        result |= _named(frame[f"side_{side}"], names) & (deaths > 0.0) & (of_side == deaths)
    return result

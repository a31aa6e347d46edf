"""What rows of event files mean here: a file that can be read and changed."""

from __future__ import annotations

import datetime as dt
import fnmatch
import functools
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from pydantic import Field

from simlib.evidence.history.csv_text import HistoryError, LeakError
from simlib.scenario import bundled
from simlib.scenario.fitting import read_model
from simlib.scenario.schema import Model, Name
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from simlib.scenario.schema import Scenario


NO_RULE = -1
_NAMES = ("country", "side_a", "side_b", "event_type", "sub_event_type")


class Release(Model):
    """A release of a data set: which vintage it is of, and since when people had it."""

    vintage: str
    published: dt.date
    file: str | None = None
    """Pattern of the names of files that are of this release, such as ``ged_mine*.csv``."""
    note: str | None = None


class MappingRule(Model):
    """Conditions on a row, all of which must hold, and what such a row is here."""

    series: Name
    source: Literal["UCDP", "ACLED"]
    incident: Name | None = None
    """Incident type; a row whose rule has none counts in its series alone."""
    target: Name | None = None
    country: tuple[str, ...] = ()
    conflict: tuple[int, ...] = ()
    """UCDP ids of conflicts (of actors for one-sided violence)."""
    between: tuple[tuple[str, ...], ...] = ()
    """Two lists of names, in either order; ``*`` stands for any text. In a file without sides
    ``conflict`` alone decides, and a rule without it never fits."""
    only_lost: tuple[str, ...] = ()
    """Names of the side that all of the dead are of. In a file without sides it never fits."""
    event_type: tuple[str, ...] = ()
    sub_event_type: tuple[str, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None
    note: str | None = None

    def fits(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell which rows meet all conditions, shape (n_rows,); names are categories."""
        fits = np.ones(len(frame), dtype=np.bool_)
        for name in ("country", "event_type", "sub_event_type"):
            wanted = getattr(self, name)
            if wanted:
                fits &= _named(frame[name], wanted)
        if self.conflict:
            fits &= frame["conflict"].isin(self.conflict).to_numpy()
        if self.since is not None:
            fits &= (frame["date"] >= np.datetime64(self.since)).to_numpy()
        if self.until is not None:
            fits &= (frame["date"] <= np.datetime64(self.until)).to_numpy()
        if self.between:
            one, other = self.between
            is_between = _sides(frame, one, other) | _sides(frame, other, one)
            # Where a file has no sides the conflict alone must tell.
            is_sideless = ((frame["side_a"] == "") & (frame["side_b"] == "")).to_numpy()
            fits &= (is_between | is_sideless) if self.conflict else is_between
        if self.only_lost:
            fits &= _only_lost(frame, self.only_lost)
        return fits


class VintageFactor(Model):
    """How counts of a final release compare with those of the preliminary one."""

    factor: float = Field(gt=0.0)
    published: dt.date
    """Since when it can be known."""
    note: str | None = None


class EventMapping(Model):
    """How event files are read."""

    releases: dict[str, Release]
    """By version as files state it, or as their names do; see `release`."""
    conflicts: dict[str, int]
    """UCDP ids by conflict name, for files that hold names only."""
    places: dict[Name, dict[Name, tuple[str, ...]]]
    """By country and governorate: how else it is spelled."""
    rules: tuple[MappingRule, ...]
    """The first that fits decides."""
    final_release: str = Field(pattern=r"^[0-9]{2}-[0-9]{2}$")
    """Month and day by which the year before is out in final form, ``MM-DD``."""
    candidate_lag_months: int = Field(ge=0, le=120)
    """Months from the end of a month to the end of the one its candidate release is out in."""
    vintage_factors: dict[Name, VintageFactor] = Field(default_factory=dict)
    note: str = ""

    def release(self, version: str) -> Release | None:
        """Look up a release, or nothing.

        Those that are not listed are known by their number: ``24.1`` is final and of 2024,
        ``24.0.11`` is the candidate release of November 2024.
        """
        if version in self.releases:
            return self.releases[version]
        numbers = _NUMBERED.fullmatch(version)
        if numbers is None:
            return None
        year, month = 2000 + int(numbers["year"]), numbers["month"]
        if month is None:
            day = dt.date.fromisoformat(f"{year}-{self.final_release}")
            return Release(vintage=f"GED {version}", published=day)
        after = year * 12 + int(month) + self.candidate_lag_months
        day = dt.date(after // 12, after % 12 + 1, 1) - dt.timedelta(days=1)
        return Release(vintage=f"Candidate {numbers['year']}.0", published=day)

    def matched(self, frame: pd.DataFrame, source: str) -> NDArray[np.int64]:
        """Find for each row the index of the first rule that fits, or `NO_RULE`."""
        frame = frame.assign(**{name: frame[name].astype("category") for name in _NAMES})
        chosen = np.full(len(frame), NO_RULE, dtype=np.int64)
        for index, rule in enumerate(self.rules):
            if rule.source == source:
                chosen[(chosen == NO_RULE) & rule.fits(frame)] = index
        return chosen

    def governorates(self) -> dict[tuple[str, str], str]:
        """List governorates by country and folded spelling."""
        return {
            (country, folded(spelling)): place
            for country, places in self.places.items()
            for place, spellings in places.items()
            for spelling in (place, *spellings)
        }


def _sides(
    frame: pd.DataFrame, side_a: tuple[str, ...], side_b: tuple[str, ...]
) -> NDArray[np.bool_]:
    return _named(frame["side_a"], side_a) & _named(frame["side_b"], side_b)


def _named(values: pd.Series[str], patterns: tuple[str, ...]) -> NDArray[np.bool_]:
    """Tell which values one of some patterns fits; case does not matter."""
    either = "|".join(f"(?:{fnmatch.translate(pattern.casefold())})" for pattern in patterns)
    fits = re.compile(either).match
    known = np.array([fits(name.casefold()) is not None for name in values.cat.categories])
    return known[values.cat.codes.to_numpy()]


def _only_lost(frame: pd.DataFrame, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Tell where all of the dead are of a side of some name."""
    deaths = frame["deaths"].to_numpy()
    result = np.zeros(len(frame), dtype=np.bool_)
    for side in ("a", "b"):
        of_side = frame[f"deaths_{side}"].to_numpy()
        result |= _named(frame[f"side_{side}"], names) & (deaths > 0.0) & (of_side == deaths)
    return result


_NUMBERED = re.compile(r"(?P<year>\d\d)\.(?:1|0\.(?P<month>[1-9]|1[0-2]))")
_NOISE = re.compile(r"\b(governorate|province|provicne|muhafazah|muhafazat)\b")


def folded(name: str) -> str:
    """Spell without case, accents, signs and the word for governorate.

    Examples
    --------
    >>> folded("Al-Ḥarra governorate")
    'al harra'
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+", " ", re.sub(r"['`\u2018\u2019\u02be\u02bf]", "", letters))
    return " ".join(_NOISE.sub(" ", words).split())


MappingLike: TypeAlias = "EventMapping | Mapping[str, Any] | str | os.PathLike[str]"
"""A mapping, its keys as in a file, or the path of a YAML or JSON file."""


def load_mapping(mapping: MappingLike | None = None) -> EventMapping:
    """Load a mapping of event files.

    Parameters
    ----------
    mapping
        The one that comes with simlib when not given.

    Raises
    ------
    ScenarioError
        With every problem that was found: unknown keys, incident types, targets or places.
    """
    if mapping is None:
        return _shipped()
    if isinstance(mapping, EventMapping):
        return mapping
    return _read(mapping)


@functools.cache
def _shipped() -> EventMapping:
    return _read(bundled.folder("seeds") / "history" / "mapping.yaml")


def _read(source: Mapping[str, Any] | str | os.PathLike[str]) -> EventMapping:
    from simlib.scenario import load

    result, log = read_model(EventMapping, source)
    if not log.problems:
        theatre = load("theatre")
        for path, rule, hint in (
            *_place_problems(result, theatre),
            *_rule_problems(result, theatre),
        ):
            log.add_at(path, rule, hint)
    log.refuse()
    return result


_Problem = tuple[tuple[str | int, ...], str, str]


def _place_problems(mapping: EventMapping, theatre: Scenario) -> Iterator[_Problem]:
    known = {
        (place.country, name): name
        for name, place in theatre.places.items()
        if place.kind == "governorate"
    }
    meant: dict[tuple[str, str], str] = {}
    for country, places in mapping.places.items():
        for place, spellings in places.items():
            here = ("places", country, place)
            if (country, place) not in known:
                hint = near_or_all(place, [name for where, name in known if where == country])
                yield here, f"unknown governorate of {country} (got {shown(place)})", hint
            for i, spelling in enumerate(spellings):
                other = meant.setdefault((country, folded(spelling)), place)
                if other != place:
                    rule = f"spelling means two governorates (got {shown(spelling)})"
                    yield (*here, i), rule, f"it stands at {other} too"


def _rule_problems(mapping: EventMapping, theatre: Scenario) -> Iterator[_Problem]:
    try:
        dt.date.fromisoformat(f"2001-{mapping.final_release}")
    except ValueError:
        yield ("final_release",), f"must be MM-DD (got {shown(mapping.final_release)})", ""
    for i, rule in enumerate(mapping.rules):
        here = ("rules", i)
        for key, what in (*_conditions(rule), *_incident(rule, theatre)):
            yield (*here, key), *what


_Words = tuple[str, tuple[str, str]]
_OF_SOURCE = {"UCDP": ("event_type", "sub_event_type"), "ACLED": ("conflict", "only_lost")}
"""Conditions that no row of a source fits, because its files have no such columns."""


def _conditions(rule: MappingRule) -> Iterator[_Words]:
    for key in _OF_SOURCE[rule.source]:
        if getattr(rule, key):
            yield key, (f"never fits, {rule.source} tells no such thing", "")
    if rule.between and (len(rule.between) != 2 or not all(rule.between)):
        yield "between", (f"must hold two lists of names (got {len(rule.between)})", "")
    if rule.since and rule.until and rule.since > rule.until:
        yield "until", (f"must not be before since (got {rule.until})", "")
    if not (rule.conflict or rule.between or rule.event_type or rule.sub_event_type):
        rule_text = "must have one of conflict, between, event_type and sub_event_type (got none)"
        yield "series", (rule_text, "")


def _incident(rule: MappingRule, theatre: Scenario) -> Iterator[_Words]:
    if rule.incident is None:
        if rule.target is not None:
            yield "target", (f"stands without an incident (got {shown(rule.target)})", "")
    elif rule.incident not in theatre.incidents:
        hint = near_or_all(rule.incident, theatre.incidents)
        yield "incident", (f"unknown incident type (got {shown(rule.incident)})", hint)
    else:
        groups = theatre.incidents[rule.incident].groups
        targets = [str(group.target) for group in groups.values()]
        if rule.target is None:
            yield "incident", ("must have a target beside it (got none)", near_or_all("", targets))
        elif rule.target not in targets:
            words = f"unknown target of {rule.incident} (got {shown(rule.target)})"
            yield "target", (words, near_or_all(rule.target, targets))


def vintage_factor(country: str, *, as_of: dt.date, mapping: EventMapping | None = None) -> float:
    """Look up final events over preliminary ones; nothing applies it by itself.

    Parameters
    ----------
    country
        One that the mapping has a factor of.
    as_of
        The date of the forecast that would use it.
    mapping
        Holds the factors, each with its note; the one that comes with simlib when not given.

    Raises
    ------
    HistoryError
        The country has none.
    LeakError
        The factor could not be known by then: both are of 2024, whose final release came out
        in 2025.
    """
    factors = load_mapping(mapping).vintage_factors
    if country not in factors:
        hint = near_or_all(country, factors)
        raise HistoryError(f"country: has no vintage factor (got {shown(country)}); {hint}")
    found = factors[country]
    if found.published > as_of:
        raise LeakError(
            f"vintage_factors.{country}: was published {found.published}, later than {as_of}"
        )
    return found.factor

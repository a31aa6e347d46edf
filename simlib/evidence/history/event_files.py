"""Event files as people have them, read into one table."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simlib.evidence.history.csv_text import HistoryError, read_table
from simlib.evidence.history.formats import WANTED, form_of, parsed
from simlib.evidence.history.mapping import NO_RULE, EventMapping, MappingLike, folded, load_mapping

if TYPE_CHECKING:
    import pandas as pd

    from simlib.evidence.history.formats import Form

COLUMNS = (
    *("file", "row", "event", "date", "date_end", "date_precision", "published", "country"),
    *("place", "located", "conflict", "series", "incident", "target"),
    *("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "deaths"),
    *("release", "vintage", "source"),
)


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one or more files, and what of them means nothing here.

    Attributes
    ----------
    table
        One row for each event, the columns `COLUMNS`. ``row`` is the line of the file;
        ``place`` is a governorate or empty; ``located`` says how well: ``point``,
        ``governorate`` (its middle) or ``country``; ``published`` is the day the row came
        out, missing where its release is unknown; deaths by side are missing where the
        file does not tell them. ``series``, ``incident`` and ``target`` may be empty.
    unmapped
        What was not mapped: ``file``, ``row``, ``event``, ``reason``, ``value``.
    """

    table: pd.DataFrame
    unmapped: pd.DataFrame

    def unmapped_counts(self) -> pd.DataFrame:
        """Count how many rows were not mapped, by reason and value, most first."""
        counts = self.unmapped.groupby(["reason", "value"], sort=True).size()
        table = counts.reset_index(name="events")
        return table.sort_values("events", ascending=False, kind="stable", ignore_index=True)


def load_events(
    path: str | os.PathLike[str],
    *,
    mapping: MappingLike | None = None,
) -> Events:
    """Read an event file: UCDP GED, UCDP Candidate or an ACLED export.

    Parameters
    ----------
    path
        A CSV file as published, also packed (``.gz``, ``.zip``); its columns tell its form.
    mapping
        What rows mean; see `load_mapping`.

    Raises
    ------
    HistoryError
        The file is wrong; the message names file, row and value.
    ScenarioError
        The mapping is wrong.

    Notes
    -----
    Nothing is held back here: a calibration reads by `calibration_events`.
    """
    rules = load_mapping(mapping)
    path = Path(path)
    text = read_table(path, WANTED)
    form = form_of(text)
    frame = parsed(text, form)
    frame["file"], frame["source"] = text.file, form.source
    if "conflict" not in form.columns:
        frame["conflict"] = frame["conflict_name"].map(rules.conflicts).astype(np.float64)
    stated = text.columns[form.release] if form.release else [version_of(path.name)] * len(frame)
    _date_releases(frame, stated, rules)
    _locate(frame, form, rules)
    _classify(frame, rules, form)
    return Events(frame[list(COLUMNS)], _unmapped(frame))


def combine_events(parts: Sequence[Events]) -> Events:
    """Put the events of several files into one table.

    Raises
    ------
    HistoryError
        An event stands in two of them: releases overlap, and it would count twice.
    """
    import pandas as pd

    table = pd.concat([part.table for part in parts], ignore_index=True)
    is_twice = table.duplicated(["source", "event"]).to_numpy()
    if is_twice.any():
        row = table.iloc[int(is_twice.argmax())]
        is_same = (table["source"] == row["source"]) & (table["event"] == row["event"])
        first = table[is_same].iloc[0]
        raise HistoryError(
            f"{row['file']}: row {row['row']}: event {row['event']} stands in {first['file']} "
            f"(row {first['row']}) too; give releases that do not overlap"
        )
    unmapped = pd.concat([part.unmapped for part in parts], ignore_index=True)
    return Events(table, unmapped)


_VERSION = re.compile(r"(?<!\d)v?(\d\d(?:[._]\d{1,2}){1,3})(?!\d)")
_OLD_VERSION = re.compile(r"^ged(\d\d)(\d)(?!\d)")


def version_of(name: str) -> str:
    """Find the version that the name of a file states, or nothing.

    Examples
    --------
    >>> version_of("GEDEvent_v24_0_11.csv"), version_of("ged191-csv.zip"), version_of("mine.csv")
    ('24.0.11', '19.1', '')
    """
    lower = name.lower()
    old = _OLD_VERSION.search(lower)
    if old:
        return ".".join(old.groups())
    found = _VERSION.search(lower)
    return found.group(1).replace("_", ".") if found else ""


def _date_releases(frame: pd.DataFrame, stated: list[str], mapping: EventMapping) -> None:
    import pandas as pd

    frame["release"] = stated
    by_file = {
        key: release
        for key, release in mapping.releases.items()
        if release.file and fnmatch.fnmatch(str(frame["file"].iloc[0]), release.file)
    }
    if by_file:
        frame["release"] = next(iter(by_file))
    if frame["source"].iloc[0] == "ACLED":
        frame["vintage"] = "ACLED"
        return
    releases = {version: mapping.release(version) for version in frame["release"].unique()}
    frame["vintage"] = [
        release.vintage if (release := releases[version]) else version
        for version in frame["release"]
    ]
    days = {v: np.datetime64(r.published if r else "NaT") for v, r in releases.items()}
    frame["published"] = pd.Series(
        np.array([days[version] for version in frame["release"]], dtype="datetime64[s]"),
        index=frame.index,
    )


def _locate(frame: pd.DataFrame, form: Form, mapping: EventMapping) -> None:
    governorates = mapping.governorates()
    spelled = list(zip(frame["country"], frame["governorate"], strict=True))
    known = {pair: governorates.get((pair[0], folded(pair[1])), "") for pair in set(spelled)}
    places = np.array([known[pair] for pair in spelled], dtype=object)
    precision = frame["precision"].fillna(0.0).to_numpy()
    is_nowhere = (precision >= form.nowhere) | (frame["governorate"] == "").to_numpy()
    places[is_nowhere] = ""
    frame["place"] = places
    frame["located"] = np.select(
        [is_nowhere | (places == ""), precision >= form.centroid],
        ["country", "governorate"],
        "point",
    )


def _classify(frame: pd.DataFrame, mapping: EventMapping, form: Form) -> None:
    chosen = mapping.matched(frame, form.source)
    frame["rule"] = chosen
    rules = mapping.rules
    for name in ("series", "incident", "target"):
        values = [getattr(rules[i], name) or "" if i != NO_RULE else "" for i in chosen]
        frame[name] = np.array(values, dtype=object)


def _unmapped(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    is_ours = (frame["rule"] != NO_RULE).to_numpy()
    what = frame["dyad_name"].where(frame["dyad_name"] != "", frame["conflict_name"])
    acts = frame["event_type"] + ": " + frame["side_a"] + " - " + frame["side_b"]
    kind = frame["country"] + ", " + (what if frame["source"].iloc[0] == "UCDP" else acts)
    is_placeless = (frame["place"] == "").to_numpy() & is_ours
    is_unknown = is_placeless & (frame["governorate"] != "").to_numpy()
    is_unknown &= (frame["located"] == "country").to_numpy()
    reasons = (
        (~is_ours, "no rule fits", kind),
        (is_ours & (frame["incident"] == "").to_numpy(), "no incident", frame["series"]),
        (is_unknown, "place not known", frame["country"] + ", " + frame["governorate"]),
        (is_placeless & ~is_unknown, "not located", frame["country"]),
        (frame["published"].isna().to_numpy(), "release not known", frame["release"]),
    )
    parts = [
        frame.loc[is_met, ["file", "row", "event"]].assign(reason=reason, value=value[is_met])
        for is_met, reason, value in reasons
    ]
    return pd.concat(parts, ignore_index=True)

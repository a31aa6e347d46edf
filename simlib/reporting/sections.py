"""The sections of a report, from results."""

from __future__ import annotations

import datetime as dt
import functools
import math
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simlib.analysis.comparison.comparison import compare
from simlib.analysis.comparison.forks import continued
from simlib.answers import answer
from simlib.errors import SimulationError
from simlib.journal import to_date
from simlib.reporting.graded_numbers import graded_numbers
from simlib.reporting.map_pictures import maps_of
from simlib.reporting.outcome_lines import HEADS, anchors, by_topic, outcome_lines
from simlib.reporting.partings import partings_of
from simlib.reporting.small_svg import Dot, calendar, curves, dots, histogram, key, whisker
from simlib.reporting.told_histories import chosen_histories
from simlib.scenario import load_text
from simlib.scenario.register_rows import grade_of
from simlib.scenario.schema import several
from simlib.scenario.spelling import words
from simlib.scenario.wording import AS_WRITTEN
from simlib.statistics.formatting import estimate
from simlib.statistics.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from markupsafe import Markup

    from simlib.analysis.comparison.comparison import Comparison
    from simlib.analysis.comparison.paired_effects import PairedEffect
    from simlib.answers import Answer
    from simlib.ensemble import Ensemble
    from simlib.reporting.outcome_lines import OutcomeLine, TopicRow
    from simlib.scenario.schema import Scenario

MOST_RANKED = 4
"""Outcomes by which numbers and histories are ranked where the answer names none."""


class Drawing(NamedTuple):
    """A picture with its caption, and the row of the short table that it belongs to."""

    anchor: str
    label: str
    topic: str
    svg: Markup
    captions: tuple[str, ...]


class Said(NamedTuple):
    """A sentence, and the rows of the short table that its numbers stand in."""

    text: str
    links: tuple[TopicRow, ...]


class EffectRow(NamedTuple):
    """What each option does to one outcome, or to the chance of a class."""

    label: str
    unit: str
    link: str
    cells: tuple[tuple[str, bool, Markup], ...]
    """Of each option the effect as text, whether it is clear, and its picture."""


class Material:
    """Results, and what each section takes from them; each is worked out once.

    Parameters
    ----------
    ensemble
        All options; the first is the one that others are compared with.
    beside
        Folders that are given too: the command that makes the report again names them.
    """

    def __init__(self, ensemble: Ensemble, beside: Sequence[Path]) -> None:
        if ensemble.n == ensemble.n_failed:
            raise SimulationError(f"{ensemble.path}: there is nothing to report: all failed")
        self.ensemble = ensemble
        self.manifest = ensemble.manifest
        self.parts = {option: ensemble.of(option) for option in ensemble.options}
        self.first = next(iter(self.parts.values()))
        self.names = {option: option or AS_WRITTEN for option in ensemble.options}
        self._beside = beside

    def contents(self) -> dict[str, Any]:
        """Everything that the template shows, by section."""
        return {
            "title": words(self.ensemble.name),
            "context": self.manifest["context_of_use"],
            "options": list(self.names.items()),
            "keys": [key(index) for index in range(len(self.names))],
            "about": {o: about.description for o, about in self.scenario.options.items()},
            "n": {option: part.n for option, part in self.parts.items()},
            "n_failed": self.ensemble.n_failed,
            "asks": self.answer.asks,
            "answer": self.said(),
            "topics": self.topics,
            "maps": maps_of(self.parts, self.names, self._kinds()),
            "exits": list(self.exits()),
            "distributions": self.distributions(),
            "effects": self.effects(),
            "partings": self.partings(),
            "comparison": self.comparison,
            "numbers": graded_numbers(self.first, self.scenario, self.headlines),
            "told": self.told(),
            "heads": HEADS,
            "lines": self.lines,
            "labels": self._labels(),
            "made": self.made(),
            "limits": self.limits(),
        }

    @functools.cached_property
    def scenario(self) -> Scenario:
        """The scenario that the results are of."""
        return load_text(self.manifest["scenario"])

    @functools.cached_property
    def grades(self) -> dict[str, str]:
        """What each number of the scenario rests on."""
        return {name: grade_of(name, each) for name, each in self.scenario.parameters.items()}

    @functools.cached_property
    def lines(self) -> list[OutcomeLine]:
        """The rows of the whole table."""
        return outcome_lines(self.parts)

    @functools.cached_property
    def topics(self) -> dict[str, list[TopicRow]]:
        """The short table."""
        return by_topic(self.lines, self.manifest["outcomes"])

    @functools.cached_property
    def answer(self) -> Answer:
        """What the results say of the scenario's question."""
        return answer(self.ensemble)

    def said(self) -> dict[str, list[Said]]:
        """The sentences of the answer under their headings, with the rows they rest on."""
        rows = dict(anchors(self.topics))
        if not self.answer.asks:
            return {"": [Said(sentence, ()) for sentence in self.ensemble.sentences()[1:]]}
        return {
            topic: [Said(each.text, tuple(rows[n] for n in each.outcomes)) for each in statements]
            for topic, statements in self.answer.by_topic().items()
        }

    @functools.cached_property
    def headlines(self) -> tuple[str, ...]:
        """Outcomes that are looked at where not all can be: numbers that all replications have.

        Those that the question says follow, or else the scenario's first.
        """
        about = self.manifest["outcomes"]
        whole = {line.summary.outcome: line.summary.kind == "number"
                 for line in self.lines if not line.summary.n_censored}  # fmt: skip
        follows = (self.manifest.get("question") or {}).get("follows", [])
        asked = [name for name in follows if whole.get(name)]
        return tuple(asked or [n for n in about if whole.get(n)])[:MOST_RANKED]

    @functools.cached_property
    def comparison(self) -> Comparison | None:
        """The options against the first; nothing where there is only one."""
        options = self.ensemble.options
        return compare(self.ensemble, options) if len(options) > 1 else None

    def exits(self) -> Iterator[dict[str, Any]]:
        """For each milestone that ends in some replication: the share still open, by date."""
        start, horizon = (_days(self.manifest[end]) for end in ("start", "end"))
        found = {option: part.milestones for option, part in self.parts.items()}
        checked = list(_quarters(self.manifest["start"], self.manifest["end"]))
        for name, agreed in self.manifest["milestones"].items():
            ended = {
                self.names[option]: rows.loc[rows["milestone"] == name, "completed_at"].to_numpy()
                for option, rows in found.items()
            }
            if all(np.isnan(days).all() for days in ended.values()):
                continue
            series = {option: _stay(days, start, horizon) for option, days in ended.items()}
            table = [
                (day.isoformat(), [_still(days, _days(day.isoformat())) for days in ended.values()])
                for day in checked
            ]
            years = [(_days(f"{y}-01-01"), str(y)) for y in _years(self.manifest)]
            about = "; ".join(
                f"{option}: {y[-1]:.0f} % open at the end" for option, (_, y) in series.items()
            )
            label = words(name)
            svg = curves(series, years, f"{label}: share not yet ended",
                         {f"agreed {agreed}": _days(agreed)}, about)  # fmt: skip
            yield {"label": label, "agreed": agreed, "svg": svg, "about": about, "rows": table}

    def distributions(self) -> dict[str, list[Drawing]]:
        """A picture of each outcome, all options in it, by topic."""
        return {
            topic: [self._drawing(name, topic, row) for row in rows for name in (_name(row),)]
            for topic, rows in self.topics.items()
        }

    def _drawing(self, name: str, topic: str, row: TopicRow) -> Drawing:
        told = [
            f"{self.names[option]}: " + "; ".join(_caption(each) for each in lines)
            for option, lines in row.lines.items()
        ]
        if next(iter(row.lines.values()))[0].summary.kind == "number":
            values = {option: part.values(name) for option, part in self.parts.items()}
            svg = histogram(values, row.label, row.unit, "; ".join(told))
        else:
            svg = dots(_probabilities(row), row.label, "; ".join(told))
        return Drawing(row.anchor, row.label, topic, svg, tuple(told))

    def effects(self) -> list[EffectRow]:
        """Effects that are clear for some option, by outcome in the order of the scenario."""
        if self.comparison is None:
            return []
        gathered: dict[str, list[PairedEffect]] = {}
        for effect in self.comparison.effects:
            gathered.setdefault(effect.name, []).append(effect)
        rows = dict(anchors(self.topics))
        clear = [each for each in gathered.values() if any(effect.is_clear for effect in each)]
        return [self._effect_row(each, rows[each[0].outcome]) for each in clear]

    def _effect_row(self, effects: list[PairedEffect], row: TopicRow) -> EffectRow:
        first = effects[0]
        ends = [abs(end) for e in effects for end in (e.low, e.high, e.effect) if np.isfinite(end)]
        reach = 1.1 * max(ends, default=1.0) or 1.0
        cells = tuple(
            (
                _effect_text(each),
                each.is_clear,
                whisker(Dot(i, each.effect, each.low, each.high), reach, each.shown),
            )
            for i, each in enumerate(effects, start=1)
        )
        lines = row.lines[self.ensemble.options[0]]
        terms = {each.summary.category: each.category for each in lines}
        called = terms.get(first.category, first.category)
        what = f"{row.label}: {called}" if called else row.label
        unit = first.unit if first.kind == "number" else "percentage points"
        return EffectRow(what, unit, row.anchor, cells)

    def partings(self) -> dict[str, Any] | None:
        """Where pairs part, and pairs that show the effect on the first headline."""
        if self.comparison is None or not self.headlines:
            return None
        outcome = self.headlines[0]
        about = self.manifest["outcomes"]
        return {
            "label": self.ensemble.labels[outcome], "unit": about[outcome]["unit"],
            "options": partings_of(self.comparison, outcome),
        }  # fmt: skip

    def told(self) -> dict[str, Any]:
        """Three histories with their pictures and the commands that make them again."""
        chosen = chosen_histories(self.first, self.scenario, self.headlines)
        years = [int(str(month)[:4]) for month in self.first.months()]
        pictures = [
            calendar({words(n): counts for n, counts in each.months.items()},
                     f"Incidents by month, replication {each.replication}", years)
            for each in chosen.histories
        ]  # fmt: skip
        commands = [self.replay(each.replication, each.option) for each in chosen.histories]
        return {
            "rule": chosen.rule,
            "histories": list(zip(chosen.histories, pictures, commands, strict=True)),
        }

    def replay(self, replication: int, option: str) -> str:
        """The command that makes one replication again."""
        command = f"simlib replay {self._path} --replication {replication}"
        return f"{command} --option {shlex.quote(option)}" if option else command

    def limits(self) -> dict[str, Any]:
        """What the results rest on, counted."""
        parameters = self.scenario.parameters.values()
        n_drawn = sum(each.distribution is not None for each in parameters)
        return {"n_parameters": len(parameters), "n_drawn": n_drawn}

    def made(self) -> dict[str, Any]:
        """How the results and the page are made again."""
        beside = "".join(f" --with {shlex.quote(str(folder))}" for folder in self._beside)
        return {
            "digest": self.ensemble.digest,
            "scenario_digest": self.manifest["scenario_digest"],
            "root_seed": self.ensemble.root_seed,
            "design": self.manifest["design"],
            "span": (self.manifest["start"], self.manifest["end"]),
            "versions": self.manifest["made_by"],
            "agents": self.manifest["agents"],
            "stopped": self.manifest.get("stopped"),
            "commands": [
                self._run(),
                f"simlib verify {self._path}",
                f"simlib report {self._path}{beside}",
            ],
        }

    def _run(self) -> str:
        """The command that makes the results again."""
        options = [option for option in self.ensemble.options if option]
        forks = [found for each in options if (found := continued(self.scenario, each))]
        line = ["simlib", "run", self.ensemble.name, "-o", str(self.ensemble.path)]
        if forks:
            options = [option for option, _ in forks]
            past = self.ensemble.options[0]
            line[1] = "fork"
            line += ["--at", str(forks[0][1]), *(["--of", past] if past else [])]
        line += ["--replications", str(self.manifest["replications"])]
        line += ["--root-seed", str(self.ensemble.root_seed)]
        if not forks:
            line += ["--design", self.manifest["design"]]
            line += [word for each in self.manifest["without"] for word in ("--without", each)]
        return shlex.join([*line, *(word for each in options for word in ("--option", each))])

    def _labels(self) -> dict[str, str]:
        """What each outcome, or a class of one as ``OUTCOME.CLASS``, is called."""
        found = dict(self.ensemble.labels)
        for line in self.lines:
            if line.category:
                name = f"{line.summary.outcome}.{line.summary.category}"
                found[name] = f"{line.label}: {line.category}"
        return found

    def _kinds(self) -> list[str]:
        """Types of incidents that the headlines count, in their order."""
        counted = [self.scenario.outcomes[name].count for name in self.headlines]
        return list(dict.fromkeys(kind for kinds in counted for kind in several(kinds)))

    @property
    def _path(self) -> str:
        return shlex.quote(str(self.ensemble.path))


def _effect_text(effect: PairedEffect) -> str:
    """An effect with its interval, to the digits that it supports; of a chance in points."""
    if not math.isfinite(effect.low) or not effect.n_differing:
        return effect.shown
    scale = 1.0 if effect.kind == "number" else 100.0
    ends = (scale * end for end in (effect.effect, effect.low, effect.high))
    return estimate(*ends, is_signed=True)


def _caption(line: OutcomeLine) -> str:
    """What is said below a picture: the estimate, and of a number how it is spread."""
    said = f"{line.category}: {line.told}" if line.category else line.told
    return f"{said}; 5 to 95 %: {line.spread}" if line.spread else said


def _name(row: TopicRow) -> str:
    return next(iter(row.lines.values()))[0].summary.outcome


def _probabilities(row: TopicRow) -> dict[str, list[Dot]]:
    """Dots of each class, one for each option; of a yes/no one row."""
    found: dict[str, list[Dot]] = {}
    for index, lines in enumerate(row.lines.values()):
        for each in lines:
            summary = each.summary
            if summary.n:
                dot = Dot(index, summary.mean, summary.low, summary.high)
                found.setdefault(each.category or "yes", []).append(dot)
    return found


def _stay(completed: Any, start: float, horizon: float) -> tuple[list[float], list[float]]:
    """Share in percent that is not completed, from each time on at which it changes."""
    n = len(completed)
    times = np.unique(completed[completed <= horizon])
    left = [100.0 * np.count_nonzero(~(completed <= time)) / n for time in times]
    return [start, *times.tolist(), horizon], [100.0, *left, left[-1] if left else 100.0]


def _still(completed: Any, day: float) -> tuple[float, float, float]:
    """Share in percent not completed by a day, with its Wilson 95 % interval."""
    n, n_left = len(completed), int(np.count_nonzero(~(completed <= day)))
    low, high = wilson(n_left, n)
    return 100.0 * n_left / max(n, 1), 100.0 * low, 100.0 * high


def _days(date: str) -> float:
    return float((dt.date.fromisoformat(date) - dt.date(2000, 1, 1)).days)


def _quarters(start: str, end: str) -> Iterator[dt.date]:
    """The ends of the quarters from one date to another."""
    first, last = to_date(_days(start)), dt.date.fromisoformat(end)
    for year in range(first.year, last.year + 1):
        for month, day in ((3, 31), (6, 30), (9, 30), (12, 31)):
            if first <= dt.date(year, month, day) <= last:
                yield dt.date(year, month, day)


def _years(manifest: dict[str, Any]) -> range:
    return range(int(manifest["start"][:4]), int(manifest["end"][:4]) + 1)

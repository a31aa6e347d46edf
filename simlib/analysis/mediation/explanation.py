"""What `why` found: the effect on each outcome, what carries it, and how to say it."""

from __future__ import annotations

import functools
import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlib.analysis.columns import in_words
from simlib.analysis.mediation.mediators import DECISIONS, NATIONAL, PARAMETERS
from simlib.files import distinct
from simlib.finding import Finding, plot_room
from simlib.journal import to_date
from simlib.scenario.spelling import words
from simlib.scenario.wording import AS_WRITTEN
from simlib.statistics.formatting import estimate, number
from simlib.statistics.intervals import fieller
from simlib.statistics.summaries import of_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from simlib.analysis.mediation.path_description import Description, Path
    from simlib.analysis.mediation.path_divergence import Divergence
    from simlib.statistics.summaries import Summary

LEVELS = ("agent", "mechanism", "place")
_MOST_SHARES, _LEAST_PERCENT = 6, 5.0
"""Shares told in sentences: how many, and how small."""
_COUNTED = {"attacks", "incidents", "events", "strikes", "operations", "clashes", "deaths"}
_MOST_PATHS = 3
"""Told in sentences; tables have all."""
_LONGEST = 8
"""Paths on a screen."""


@dataclass(frozen=True, slots=True)
class MediatedShare:
    """What a mediator carries of an effect: its mean Shapley value over the pairs.

    Attributes
    ----------
    mean, mc_error, low, high
        In the unit of the outcome, with Monte Carlo error and 95 % interval.
    percent, percent_low, percent_high
        Of the effect; the interval is Fieller's, of a ratio of paired means.
    """

    group: str
    mean: float
    mc_error: float
    low: float
    high: float
    percent: float
    percent_low: float
    percent_high: float

    @property
    def told(self) -> str:
        """The percent of the effect with their interval; never a zero with a sign."""
        values = (self.percent, self.percent_low, self.percent_high)
        texts = (f"{value:.0f}" for value in values)
        middle, low, high = ("0" if x == "-0" else x.replace("-", "\N{MINUS SIGN}") for x in texts)
        return f"{middle} % ({low} to {high})"


def share_of(
    group: str,
    added: NDArray[np.float64],
    effects: NDArray[np.float64],
    blocks: NDArray[np.int32] | None = None,
) -> MediatedShare:
    """The share of a mediator, from what it adds and the effect in each pair, shape (n,).

    Given the block of each pair, errors are taken between blocks.
    """
    own = of_number(group, "", added, len(added), blocks=blocks)
    low, high = fieller(added, effects, blocks)
    percent = 100.0 * own.mean / float(effects.mean())
    ends = (100.0 * low, 100.0 * high)
    return MediatedShare(group, own.mean, own.mc_error, own.low, own.high, percent, *ends)


@dataclass(frozen=True, slots=True)
class MediatedEffect:
    """The effect on one outcome, or on one class of it, and what carries it.

    Attributes
    ----------
    outcome, label, kind, unit
        Its name and what people read in its place, ``number`` or ``share`` (a probability), and
        its unit.
    n
        Pairs in which it was observed under both options and in all hybrids.
    before, after
        Means under the baseline and under the counterfactual.
    effect
        Mean of after less before, with error and interval.
    is_same
        Whether it is the same in every pair.
    shares
        Largest first; none where the interval of the effect includes 0.
    description
        What differs, described.
    """

    outcome: str
    label: str
    kind: str
    unit: str
    n: int
    before: float
    after: float
    effect: Summary
    is_same: bool
    shares: tuple[MediatedShare, ...]
    description: Description

    @property
    def has_effect(self) -> bool:
        """Whether the interval of the effect excludes 0."""
        return self.effect.low > 0.0 or self.effect.high < 0.0

    def side(self, mean: float) -> str:
        """A mean under one option; of a probability in percent."""
        return number(mean) if self.kind == "number" else f"{100.0 * mean:.0f} %"

    @property
    def told(self) -> str:
        """The effect with its interval and unit; of a probability in percentage points."""
        is_number = self.kind == "number"
        scale, unit = (1.0, self.unit) if is_number else (100.0, "percentage points")
        values = (scale * x for x in (self.effect.mean, self.effect.low, self.effect.high))
        return f"{estimate(*values, is_signed=True)} {unit}".rstrip()

    @property
    def what(self) -> str:
        """What of the effect passes, in words."""
        is_more = self.effect.mean > 0.0
        if self.unit in _COUNTED:
            return f"the {'extra' if is_more else 'missing'} {self.unit} pass"
        return f"the {'rise' if is_more else 'fall'} passes"

    def ranked(self, level: str) -> list[tuple[str, float, float, float]]:
        """Paths summed by a level, largest net first: name, extra, missing, net."""
        sums: dict[str, tuple[float, float]] = {}
        for path in self.description.paths:
            extra, missing = sums.get(getattr(path, level), (0.0, 0.0))
            sums[getattr(path, level)] = extra + path.extra, missing + path.missing
        rows = [(name, extra, missing, extra - missing) for name, (extra, missing) in sums.items()]
        return sorted(rows, key=lambda row: (-abs(row[3]), -abs(row[1]) - abs(row[2])))

    def share_sentences(self, by: str) -> Iterator[str]:
        """Say what each mediator carries, the small ones together."""
        named = [
            s
            for s in self.shares
            if abs(s.percent) >= _LEAST_PERCENT or s.percent_low > 0 or s.percent_high < 0
        ][:_MOST_SHARES]
        for s in named:
            if s.percent < 0.0:
                yield f"{s.told}: {_through(s.group, by)} works the other way."
            else:
                yield f"{s.told} of {self.what} through {_through(s.group, by)}."
        n_left = len(self.shares) - len(named)
        if n_left:
            rest = round(100.0 - sum(s.percent for s in named))
            yield f"{rest} % through {n_left} other {by}{'s' if n_left > 1 else ''} together."

    def path_sentence(self) -> str:
        """Say who, through what and where most of the net difference leads back to."""
        extra = sum(path.extra for path in self.description.paths)
        missing = sum(path.missing for path in self.description.paths)
        parts = []
        for level in LEVELS:
            named = ", ".join(
                f"{words(name)} {net:+,.3g}" for name, _, _, net in self.ranked(level)[:3]
            )
            parts.append(f"by {level} {named}")
        return (
            f"{self.label}: over all pairs {number(extra)} are extra and {number(missing)} "
            "missing; followed back to the act that most favored each, they are, extra less "
            f"missing, {'; '.join(parts)}."
        )


def _through(group: str, by: str) -> str:
    known = {
        PARAMETERS: "the parameters that the options replace",
        NATIONAL: "what has no place",
        DECISIONS: "the decisions that are counted",
    }
    name = words(group)
    spelled = {"agent": f"what {name} does", "place": f"what is changed in {name}"}
    return known.get(group, spelled.get(by, name))


def mediated_effect(
    outcome: tuple[str, str, str, str],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    shares: NDArray[np.float64],
    groups: Sequence[str],
    *,
    blocks: NDArray[np.int32] | None,
    description: Description,
) -> MediatedEffect:
    """Sum up one outcome over the pairs in which all of it was observed.

    It is given by name, label, kind and unit. The ends are its values under the baseline and
    under the counterfactual, shape (n,); the Shapley values of the groups, shape (n, n_groups),
    sum to their difference. Given the block of each pair, errors are taken between blocks.
    """
    name, label, kind, unit = outcome
    is_seen = ~(np.isnan(shares).any(axis=1) | np.isnan(ends[0]) | np.isnan(ends[1]))
    own = None if blocks is None else blocks[is_seen]
    before, after = (each[is_seen] for each in ends)
    effect = of_number(name, unit, after - before, len(is_seen), blocks=own)
    rows: list[MediatedShare] = []
    # A share of an effect that may be nothing has no meaning.
    if effect.low > 0.0 or effect.high < 0.0:
        added = {group: shares[is_seen, i] for i, group in enumerate(groups)}
        rows = [share_of(g, each, after - before, own) for g, each in added.items() if each.any()]
    return MediatedEffect(
        outcome=name,
        label=label,
        kind=kind,
        unit=unit,
        n=int(is_seen.sum()),
        before=float(before.mean()) if len(before) else math.nan,
        after=float(after.mean()) if len(after) else math.nan,
        effect=effect,
        is_same=bool((before == after).all()),
        shares=tuple(sorted(rows, key=lambda share: -abs(share.mean))),
        description=description,
    )


@dataclass(frozen=True, slots=True)
class Explanation(Finding):
    """Why two options differ.

    Attributes
    ----------
    scenario, source
        Its name, and how it is called on the command line.
    baseline, counterfactual
        The options.
    by
        ``agent``, ``mechanism`` or ``place``.
    n_asked, n_failed
        Pairs of replications, and those of which a run failed.
    results
        The results directory they can be replayed from; empty where there is none.
    findings
        By outcome, or by class of one.
    first
        Where each pair parts, by replication; pairs that never do are left out.
    """

    stem = "why"

    scenario: str
    source: str
    baseline: str
    counterfactual: str
    by: str
    n_asked: int
    n_failed: int
    results: str
    findings: tuple[MediatedEffect, ...]
    first: dict[int, Divergence]

    def of(self, outcome: str) -> MediatedEffect:
        """The mediated effect on an outcome.

        Raises
        ------
        KeyError
            It was not looked at, or is a class that neither option has ended in.
        """
        for finding in self.findings:
            if finding.outcome == outcome:
                return finding
        raise KeyError(f"no finding on {outcome!r}")

    # tables and figures

    def brief(self) -> pd.DataFrame:
        """The effects; shares and paths have tables of their own."""
        return in_words(self.effects(), self._labels)

    def briefs(self) -> dict[str, pd.DataFrame]:
        """Effects, shares and the first paths, in words."""
        found = {
            "effects": self.effects(),
            f"shares of the effect by {self.by}, with 95 % intervals": self.table(),
            "paths that differ most: incidents counted, no shares": (
                self.paths().drop(columns=["example", "replications"]).head(_LONGEST)
            ),
        }
        if len(self.findings) == 1:
            # The sentences say which outcome it is, and its effect.
            del found["effects"]
            found = {t: table.drop(columns="outcome") for t, table in found.items()}
        return {t: in_words(table, self._labels) for t, table in found.items() if len(table)}

    @property
    def _labels(self) -> dict[str, str]:
        return {finding.outcome: finding.label for finding in self.findings}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Effects, shares, paths, their ranking, and where pairs part."""
        return {
            "why-effects": self.effects(),
            "why-shares": self.table(),
            "why-paths": self.paths(),
            "why-ranking": self.ranking(),
            "why-divergences": self.divergences(),
        }

    def figures(self) -> dict[str, Callable[[], Figure]]:
        """What draws shares and paths of each outcome."""
        draw = plot_room().shares_and_paths
        names = distinct((finding.outcome for finding in self.findings), as_they_are=True)
        return {
            f"why-{name}": functools.partial(draw, self, outcome) for outcome, name in names.items()
        }

    def effects(self) -> pd.DataFrame:
        """The effects: a row an outcome, in its unit."""
        return _frame(
            "outcome unit n n_failed n_open baseline counterfactual effect mc_error low high",
            [
                (f.outcome, f.unit, f.n, self.n_failed, self.n_asked - self.n_failed - f.n,
                 f.before, f.after, f.effect.mean, f.effect.mc_error, f.effect.low, f.effect.high)
                for f in self.findings
            ],
        )  # fmt: skip

    def table(self) -> pd.DataFrame:
        """The shares: a row a group; none where the effect's interval includes 0."""
        return _frame(
            f"outcome unit {self.by} share mc_error low high percent percent_low percent_high",
            [
                (f.outcome, f.unit, s.group, s.mean, s.mc_error, s.low, s.high,
                 s.percent, s.percent_low, s.percent_high)
                for f in self.findings
                for s in f.shares
            ],
        )  # fmt: skip

    def paths(self) -> pd.DataFrame:
        """The ways from cause to outcome, ranked: description, not attribution."""
        return _frame(
            "outcome agent mechanism place extra missing net n_pairs replications option example",
            [
                (f.outcome, p.agent, p.mechanism, p.place, p.extra, p.missing, p.net, p.n_pairs,
                 " ".join(map(str, p.replications)), self._option(p.is_second), p.example)
                for f in self.findings
                for p in f.description.paths
            ],
        )  # fmt: skip

    def ranking(self) -> pd.DataFrame:
        """Paths summed by agent, by mechanism and by place, each ranked."""
        rows: list[tuple[Any, ...]] = []
        for finding in self.findings:
            for level in LEVELS:
                ranked = finding.ranked(level)
                whole = sum(abs(extra) + abs(missing) for _, extra, missing, _ in ranked)
                for name, extra, missing, net in ranked:
                    moved = 100.0 * (abs(extra) + abs(missing)) / whole if whole else 0.0
                    rows.append((finding.outcome, level, name, extra, missing, net, moved))
        return _frame("outcome level name extra missing net percent_of_all_differing", rows)

    def divergences(self) -> pd.DataFrame:
        """Where the pairs part at first, most frequent first: description."""
        rows = [
            (each.kind, each.who, each.what, each.place, self._option(each.is_second), len(found),
             str(to_date(min(self.first[r].time for r in found))), " ".join(map(str, found[:3])))
            for each, found in self._partings()
        ]  # fmt: skip
        return _frame("kind who what place only_under n_pairs earliest replications", rows)

    def _partings(self) -> list[tuple[Divergence, list[int]]]:
        found: dict[tuple[Any, ...], list[int]] = {}
        for replication, d in self.first.items():
            key = (d.kind, d.who, d.what, d.place, d.is_second)
            found.setdefault(key, []).append(replication)
        ranked = sorted(found.values(), key=lambda replications: -len(replications))
        return [(self.first[replications[0]], replications) for replications in ranked]

    # sentences

    def sentences(self) -> list[str]:
        """Say the effects and their shares; descriptions are called so."""
        lines = []
        if self.n_failed:
            lines.append(f"{self.n_failed:,} of {self.n_asked:,} pairs failed and are left out.")
        for finding in self.findings:
            lines += [self._effect(finding), *finding.share_sentences(self.by)]
        if any(finding.has_effect for finding in self.findings):
            lines.append(_MEANING[self.by])
        lines += self._described()
        return lines

    def _effect(self, f: MediatedEffect) -> str:
        if f.is_same and f.n:
            value = f"{f.side(f.before)} {f.unit if f.kind == 'number' else ''}".strip()
            return (
                f"{f.label} is the same under {self.baseline or AS_WRITTEN} and "
                f"{self.counterfactual or AS_WRITTEN} in all {f.n:,} pairs ({value} on average): "
                "there is nothing to explain."
            )
        text = (
            f"{f.label}: {f.side(f.before)} under {self.baseline or AS_WRITTEN}, "
            f"{f.side(f.after)} under {self.counterfactual or AS_WRITTEN}; "
            f"effect {f.told} (95 % interval, {f.n:,} pairs)."
        )
        n_open = self.n_asked - self.n_failed - f.n
        if n_open:
            text += f" {n_open:,} more pairs are left out: not observed by the horizon in some run."
        if not f.has_effect:
            text += " The interval includes 0, so no share is given."
        return text

    def _described(self) -> Iterator[str]:
        n = self.n_asked - self.n_failed
        if not self.first:
            yield f"Description: the journals of all {n:,} pairs are the same."
            return
        each, found = self._partings()[0]
        option = self._option(each.is_second) or AS_WRITTEN
        yield (
            f"Description, not attribution: {len(self.first):,} of {n:,} pairs part; most often "
            f"({len(found):,}) first at {words(str(each))}, which only {option} "
            f"has, as in replications {', '.join(map(str, found[:3]))}."
        )
        firsts: dict[int, MediatedEffect] = {}
        if any(finding.has_effect and finding.description.paths for finding in self.findings):
            yield _COUNTS
        for finding in self.findings:
            if finding.has_effect:  # classes of an outcome share their description
                firsts.setdefault(id(finding.description), finding)
        for finding in firsts.values():
            yield from self._ways(finding)
        if not self.results and any(f.has_effect for f in self.findings):
            options = "".join(
                f" --option {shlex.quote(o)}" for o in (self.baseline, self.counterfactual) if o
            )
            yield (
                f"To have these replications at hand:\nsimlib run {shlex.quote(self.source)} "
                f"-o out/ --replications {self.n_asked}{options}"
            )

    def _ways(self, finding: MediatedEffect) -> Iterator[str]:
        found = finding.description
        if found.n_traced < found.n_differing:
            yield (
                f"{finding.label}: {found.n_traced:,} of {found.n_differing:,} incidents that "
                "differ are followed back, drawn by their addresses."
            )
        yield finding.path_sentence()
        for path in found.paths[:_MOST_PATHS]:
            if path.net:
                yield (
                    f"{finding.label}: {path.way}: "
                    f"{number(path.extra)} extra, {number(path.missing)} missing over "
                    f"{path.n_pairs:,} pairs; such as {words(path.example)}. "
                    f"To see it:\n{self.command(path)}"
                )

    def command(self, path: Path) -> str:
        """The command that replays a replication that shows a path."""
        option = self._option(path.is_second)
        parts = ["simlib", "replay", self.results or "out/"]
        parts += ["--replication", str(path.replications[0])]
        return shlex.join([*parts, "--option", option] if option else parts)

    def _option(self, is_second: bool) -> str:  # noqa: FBT001
        return self.counterfactual if is_second else self.baseline


_MEANING = {
    "agent": "A share is what changes when an agent takes the path that it has under the other "
    "option (Shapley values; they sum to the effect). It is credited to whoever acts last: an "
    "agent that answers another carries what passes through it.",
    "mechanism": "A share is what changes when a variable takes, as far as agents change it, the "
    "path that it has under the other option (Shapley values; they sum to the effect). It is "
    "credited to the last variable on the way to incidents.",
    "place": "A share is what changes when all that agents change at a place takes the path that "
    "it has under the other option (Shapley values; they sum to the effect).",
}


_COUNTS = (
    "What follows are counts, and no shares of the effect: each incident that only one option has "
    "is given whole to the one act that most favored it. A share splits the mean effect over all "
    "that act, and what comes and goes cancels in it; so the two need not agree."
)


def _frame(columns: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=columns.split())

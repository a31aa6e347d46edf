"""What `why` found: tables, figures, sentences."""

from __future__ import annotations

import functools
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.analysis.mediation.mediated_effects import LEVELS
from simlib.files import distinct
from simlib.finding import Finding, plot_room
from simlib.journal import to_date
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from matplotlib.figure import Figure

    from simlib.analysis.mediation.mediated_effects import MediatedEffect
    from simlib.analysis.mediation.path_description import Path
    from simlib.analysis.mediation.path_divergence import Divergence

_MOST_PATHS = 3
"""Told in sentences; tables have all."""
_LONGEST = 15
"""Paths on a screen."""


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
        """Return the mediated effect on an outcome.

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
        return self.effects()

    def briefs(self) -> dict[str, pd.DataFrame]:
        """Effects, shares and the first paths."""
        found = {
            "effects": self.effects(),
            f"shares by {self.by}, with 95 % intervals": self.table(),
            "paths that differ most (description)": (
                self.paths().drop(columns="example").head(_LONGEST)
            ),
        }
        return {title: table for title, table in found.items() if len(table)}

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
            value = f"{number(f.before)} {f.unit}".strip()
            return (
                f"{f.outcome} is the same under {_named(self.baseline)} and "
                f"{_named(self.counterfactual)} in all {f.n:,} pairs ({value} on average): "
                "there is nothing to explain."
            )
        unit = f" {f.unit}" if f.unit else ""
        interval = f"{number(f.effect.low)} to {number(f.effect.high)}"
        text = (
            f"{f.outcome}: {number(f.before)} under {_named(self.baseline)}, {number(f.after)} "
            f"under {_named(self.counterfactual)}; effect {f.effect.mean:+.3g}{unit} "
            f"(95 % interval {interval}, {f.n:,} pairs)."
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
        yield (
            f"Description, not attribution: {len(self.first):,} of {n:,} pairs part; most often "
            f"({len(found):,}) first at {each}, which only {_named(self._option(each.is_second))} "
            f"has, as in replications {', '.join(map(str, found[:3]))}."
        )
        firsts: dict[int, MediatedEffect] = {}
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
                f"To have these replications at hand: simlib run {shlex.quote(self.source)} "
                f"-o out/ --replications {self.n_asked}{options}"
            )

    def _ways(self, finding: MediatedEffect) -> Iterator[str]:
        found = finding.description
        if found.n_traced < found.n_differing:
            yield (
                f"{finding.outcome}: {found.n_traced:,} of {found.n_differing:,} incidents that "
                "differ are followed back, drawn by their addresses."
            )
        yield finding.path_sentence()
        for path in found.paths[:_MOST_PATHS]:
            if path.net:
                yield (
                    f"{finding.outcome}: {path.agent} > {path.mechanism} > {path.place}: "
                    f"{number(path.extra)} extra, {number(path.missing)} missing over "
                    f"{path.n_pairs:,} pairs; such as {path.example}. "
                    f"To see it: {self.command(path)}"
                )

    def command(self, path: Path) -> str:
        """Return the command that replays a replication that shows a path."""
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


def _named(option: str) -> str:
    return option or "the scenario as written"


def _frame(columns: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=columns.split())

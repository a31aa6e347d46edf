"""Options under common random numbers: paired effects, their errors, what pairing saves."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from simlib.analysis.comparison.paired_effects import ENOUGH, Subject, effect_of, reason_of, times
from simlib.chance import designs
from simlib.ensemble import Ensemble, run
from simlib.errors import Problem, ScenarioError, SimulationError, StoreError
from simlib.files import slug
from simlib.finding import Finding, plot_room
from simlib.scenario import load_text
from simlib.scenario.wording import AS_WRITTEN, near_or_all, shown

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.analysis.comparison.paired_effects import PairedEffect, Reason
    from simlib.ensemble.execution import Running
    from simlib.scenario.schema import Scenario

    Floats = NDArray[np.float64]

MOST_TOLD = 8
"""Effects that a screen shows for each option, the largest of those that are clear."""
YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class Comparison(Finding):
    """Options against a baseline, replication by replication under common random numbers.

    Attributes
    ----------
    ensemble
        All the replications; `Ensemble.replay` makes any of them again.
    baseline
        The option compared with (empty: the scenario as it is written).
    options
        The counterfactual options.
    fork
        The date up to which all of them share their past; None where each begins to
        differ when it is announced.
    checked
        What was verified of the common past, in sentences.
    shown
        Outcomes that a screen and figures show; the largest clear effects when there is none.
    is_whole
        Whether sentences and screen leave nothing out.
    """

    stem = "effects"

    ensemble: Ensemble
    baseline: str
    options: tuple[str, ...]
    fork: dt.date | None = None
    checked: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    is_whole: bool = False

    def whole(self) -> Comparison:
        """The comparison with every effect that differs on its screen, and all of pairing."""
        return replace(self, is_whole=True)

    def showing(self, outcomes: Iterable[str]) -> Comparison:
        """The comparison with a screen and figures of some outcomes only.

        Raises
        ------
        ScenarioError
            There is no such outcome.
        """
        found = replace(self, shown=tuple(dict.fromkeys(outcomes)))
        for option in found.options:
            for name in found.shown:
                found.effect(name, option)
        return found

    @functools.cached_property
    def scenario(self) -> Scenario:
        """The scenario the replications are of."""
        return load_text(self.ensemble.manifest["scenario"])

    @functools.cached_property
    def effects(self) -> tuple[PairedEffect, ...]:
        """Every effect: of each option, on each outcome, on each class of a class."""
        return tuple(effect for option in self.options for effect in self._effects_of(option))

    @functools.cached_property
    def n_pairs(self) -> dict[str, int]:
        """How many pairs each option has: replications that failed under neither."""
        return {option: len(self._pairs(option)[0]) for option in self.options}

    def effect(self, outcome: str, option: str | None = None) -> PairedEffect:
        """One effect.

        Parameters
        ----------
        outcome
            The outcome; of one that is a class, ``OUTCOME.CLASS``.
        option
            The counterfactual option; the only one there is when not given.

        Raises
        ------
        ScenarioError
            There is no such outcome or option, or several options are compared.
        """
        chosen = self.option(option)
        known = {effect.name: effect for effect in self.effects if effect.option == chosen}
        if outcome not in known:
            rule = f"no such outcome (got {shown(outcome)})"
            raise ScenarioError([Problem("outcomes", rule, near_or_all(outcome, known))])
        return known[outcome]

    def option(self, option: str | None = None) -> str:
        """The counterfactual option meant; the only one when none is given.

        Raises
        ------
        ScenarioError
            There is no such option, or several and none is named.
        """
        if option is None and len(self.options) == 1:
            return self.options[0]
        if option not in self.options:
            rule = "say which" if option is None else f"is not compared (got {shown(option)})"
            raise ScenarioError([Problem("option", rule, f"one of {', '.join(self.options)}")])
        return option

    def pairs(self, outcome: str, option: str | None = None) -> tuple[Floats, Floats]:
        """An outcome under the baseline and under an option, a row a pair.

        Parameters
        ----------
        outcome, option
            As in `effect`; a class and a yes/no are 1 or 0; nan is not settled.
        """
        found = self.effect(outcome, option)
        one, other, _ = self._numbers(found)
        return one, other

    def _numbers(self, of: PairedEffect) -> tuple[Floats, Floats, pd.Index[int]]:
        """The outcome of an effect under both options, and the replications."""
        frames = self._pairs(of.option)
        one, other = (_as_numbers(f[of.outcome].to_numpy(), of.category) for f in frames)
        return one, other, frames[0].index

    def ends(self, outcome: str) -> dt.date:
        """The last date an outcome looks at."""
        found = self.scenario.outcomes[outcome]
        return found.end or found.on or self.scenario.end

    def table(self) -> pd.DataFrame:
        """The effects: a row for each option and outcome (or class of one).

        Probabilities are 0-1. ``share_differing`` is the share of pairs that are not the
        same, ``variance_reduction`` how many times the variance would be as large with
        independent runs, ``n_independent`` the pairs of those that would be as good as
        these n, ``n_saved`` the difference. The three last shares divide the variance of
        the difference where the reduction is below 10; see `Reason`. ``shown`` is the
        effect as text.
        """
        import pandas as pd

        rows = [e.row() | {"window_ends": self.ends(e.outcome)} for e in self.effects]
        return pd.DataFrame(rows)

    def brief(self) -> pd.DataFrame:
        """The effects as a reader compares them: those chosen, or the largest clear ones."""
        import pandas as pd

        return pd.DataFrame(
            {"option": effect.option or "as written"}
            | effect.brief(self.ensemble.label(effect.outcome, effect.category))
            | (effect.pairing() if self.is_whole else {})
            for option in self.options
            for effect in self._told(option)
        )

    def _told(self, option: str) -> list[PairedEffect]:
        """The effects of an option that a screen shows."""
        effects = [effect for effect in self.effects if effect.option == option]
        if self.shown:
            return [effect for effect in effects if effect.name in self.shown]
        if self.is_whole:
            return [effect for effect in effects if effect.n_differing > 0]
        clear = (effect for effect in effects if effect.is_clear)
        return sorted(clear, key=lambda each: each.size, reverse=True)[:MOST_TOLD]

    def briefs(self) -> dict[str, pd.DataFrame]:
        """The same, a table for each option."""
        rows = self.brief()
        if rows.empty:
            return {}
        against = f"against {self.baseline or 'as written'}"
        return {
            f"{option} {against}": own.drop(columns="option")
            for option, own in rows.groupby("option", sort=False)
        }

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """What draws all effects of each option, and each effect that was chosen."""
        plot = plot_room()
        found: dict[str, Callable[[], Axes]] = {}
        for option in self.options:
            if self.n_pairs[option] > 1:
                found[f"effects-{slug(option)}"] = functools.partial(plot.effects, self, option)
            for name in self.shown:
                stem = f"effect-{slug(option)}-{slug(name)}"
                found[stem] = functools.partial(plot.effect, self, name, option)
        return found

    def sentences(self) -> list[str]:
        """Say which pairs there are, how many effects are clear, and caveats; whole, of pairing."""
        said = list(self.checked)
        for option in self.options:
            effects = [effect for effect in self.effects if effect.option == option]
            said.append(self._pairs_sentence(option))
            said += _count_sentences(effects, 0 if self.shown else len(self._told(option)))
            if effects[0].n > 1:
                said += self._saving_sentences(effects)
        if self.ensemble.manifest["design"] == "latin_hypercube":
            said.append("errors and reductions are taken between blocks of the Latin hypercube")
        said.append(
            "an effect is the mean difference between runs of the model on the same luck; its "
            "interval speaks of the number of replications only, not of how well the model is known"
        )
        return said

    def _pairs_sentence(self, option: str) -> str:
        n = self.n_pairs[option]
        n_asked = min(self.ensemble.of(name).n for name in (self.baseline, option))
        pairs = f"{n:,} pair{'s' if n > 1 else ''} of replications with the same luck"
        text = f"{option or AS_WRITTEN} against {self.baseline or AS_WRITTEN}: {pairs}"
        if n < n_asked:
            text += f"; {n_asked - n:,} left out because at least one of the two failed"
        return text

    def _saving_sentences(self, effects: Sequence[PairedEffect]) -> Iterator[str]:
        """Say what pairing saves, and where and why it saves little."""
        differing = [effect for effect in effects if effect.n_differing]
        where = ""
        if self.fork is not None:
            until = self.fork + YEAR
            differing = [effect for effect in differing if self.ends(effect.outcome) <= until]
            where = " within a year of the fork"
        n_enough = sum(effect.variance_reduction >= ENOUGH for effect in differing)
        text = (
            f"pairing: {n_enough} of {len(differing)} outcomes that differ{where} have a variance "
            f"at least {ENOUGH:.0f} times smaller than independent runs would have"
        )
        if differing:
            middle = sorted(effect.variance_reduction for effect in differing)[len(differing) // 2]
            text += f", half of them {times(middle)} or more"
        yield text
        for effect in differing if self.is_whole else ():
            if effect.variance_reduction < ENOUGH:
                yield f"  {effect.pairing_sentence()}"

    def _pairs(self, option: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        one, other = self._outcomes[self.baseline], self._outcomes[option]
        both = one.index.intersection(other.index)
        return one.loc[both], other.loc[both]

    @functools.cached_property
    def _outcomes(self) -> dict[str, pd.DataFrame]:
        return {o: self.ensemble.of(o).outcomes for o in (self.baseline, *self.options)}

    def _effects_of(self, option: str) -> Iterator[PairedEffect]:
        one, other = self._pairs(option)
        if one.empty:
            raise SimulationError(_no_pair(self.ensemble, self.baseline, option))
        manifest = self.ensemble.manifest
        blocks = designs.blocks(manifest["design"], one.index.to_numpy())
        for outcome, about in manifest["outcomes"].items():
            sides = [frame[outcome].to_numpy() for frame in (one, other)]
            for category in _categories(about, sides):
                subject = Subject(option, outcome, category, about["kind"], about["unit"])
                a, b = (_as_numbers(side, category) for side in sides)
                effect = effect_of(subject, a, b, blocks=blocks)
                if effect.variance_reduction < ENOUGH:
                    effect = replace(effect, reason=self._reason(effect))
                yield effect

    def _reason(self, effect: PairedEffect) -> Reason | None:
        one, other, index = self._numbers(effect)
        is_seen = ~(np.isnan(one) | np.isnan(other))
        replications, change = index[is_seen], (other - one)[is_seen]
        endings = {
            name: texts.loc[replications].to_numpy(object) for name, texts in self._endings.items()
        }
        drawn = self._drawn.loc[replications]
        values = drawn.to_numpy(np.float64)
        return reason_of(change, endings, (tuple(drawn.columns), values))

    @functools.cached_property
    def _endings(self) -> dict[str, pd.Series[str]]:
        """How each milestone ends in the baseline: class and half-years of delay."""
        return {
            str(name): _as_classes(rows)
            for name, rows in self.ensemble.of(self.baseline).milestones.groupby("milestone")
        }

    @functools.cached_property
    def _drawn(self) -> pd.DataFrame:
        """Parameters that differ between replications."""
        found = self.ensemble.of(self.baseline).parameters
        return found.loc[:, (found != found.iloc[0]).any()]


def _count_sentences(effects: Sequence[PairedEffect], n_largest: int) -> Iterator[str]:
    """Say how many effects are clear, and where a screen has only so many of them."""
    n_clear = sum(effect.is_clear for effect in effects)
    n_same = sum(not effect.n_differing for effect in effects)
    if effects[0].n > 1:
        left = f"; the {n_largest} largest follow" if 0 < n_largest < n_clear else ""
        yield (
            f"{n_clear} of {len(effects)} outcomes (each class counted) differ clearly, "
            f"{n_same} are identical in every pair{left}"
        )


def compare(
    source: Scenario | str | os.PathLike[str] | Ensemble,
    options: Sequence[str],
    *,
    baseline: str | None = None,
    replications: int | range | None = None,
    **running: Unpack[Running],
) -> Comparison:
    """Compare options under common random numbers.

    Parameters
    ----------
    source
        A scenario, or the path or bundled name of one, which is simulated; or an ensemble
        that has the options, of which nothing is simulated.
    options
        Names of options; with one of them as the baseline. Empty: as it is written.
    baseline
        What the others are compared with; the first option when not given.
    replications
        How many pairs (the scenario's number when not given), or which.
    running
        What else `simlib.run` takes: ``root_seed``, ``jobs``, ``scheduler``, ``agents``,
        ``without``, ``directory``, ``journals``, ``progress``, ``chunk_size`` and
        ``start_method``.

    Raises
    ------
    ScenarioError
        There are not two different options, or no such option.
    StoreError
        The ensemble lacks an option, or is given together with how to simulate.
    SimulationError
        No replication is left that failed under neither option.
    """
    chosen = tuple(dict.fromkeys([*([] if baseline is None else [baseline]), *options]))
    if len(chosen) < 2:
        rule = f"must be two or more to compare (got {', '.join(map(shown, chosen)) or 'none'})"
        raise ScenarioError([Problem("options", rule)])
    if isinstance(source, Ensemble):
        if replications is not None or any(value is not None for value in running.values()):
            raise StoreError(
                "results are compared as they are: give no replications, nor how to simulate"
            )
        source.refuse_missing(chosen)
        ensemble = source
    else:
        ensemble = run(source, options=chosen, replications=replications, **running)
    found = Comparison(ensemble, chosen[0], chosen[1:])
    return refuse_empty(found)


def refuse_empty(comparison: Comparison) -> Comparison:
    """A comparison that has a pair of each option; refuse one that has not."""
    for option, n in comparison.n_pairs.items():
        if not n:
            raise SimulationError(_no_pair(comparison.ensemble, comparison.baseline, option))
    return comparison


def _no_pair(ensemble: Ensemble, *options: str) -> str:
    """Why there is nothing to compare."""
    text = "no replication did not fail under both options"
    for option in options:
        failures = ensemble.of(option).failures
        if len(failures):
            first = failures.reset_index().iloc[0]
            text += f"; {option or 'as written'}: replication {first['replication']} failed on "
            text += f"{first['date']}: {first['error']}"
    return text


def _categories(about: dict[str, Any], sides: Sequence[NDArray[Any]]) -> Sequence[str]:
    """The classes of an outcome, declared ones first; one empty where it is none."""
    if about["kind"] != "class":
        return ("",)
    met = {text for side in sides for text in side if isinstance(text, str)}
    return (*about["classes"], *sorted(met - set(about["classes"])))


def _as_numbers(values: NDArray[Any], category: str) -> NDArray[np.float64]:
    """Numbers; of texts 1 where it is the class, 0 where another, nan where none."""
    if not category:
        return values.astype(np.float64)
    return np.array([float(x == category) if isinstance(x, str) else np.nan for x in values])


def _as_classes(milestones: pd.DataFrame) -> pd.Series[str]:
    late = (milestones["date_moved"] - milestones["agreed"]) / (365.25 / 2.0)
    half_years = late.round().astype(str)
    return milestones["classification"].fillna("open") + " " + half_years

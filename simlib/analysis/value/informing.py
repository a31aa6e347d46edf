"""What was found on the value of information, as tables and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.statistics.formatting import number, with_error

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import pandas as pd

    from simlib.analysis.value.losses import LossPanel
    from simlib.analysis.value.valuing import Worth

KINDS = ("everything", "reports", "group", "parameter")


@dataclass(frozen=True, slots=True)
class Learning:
    """What learning one thing is worth, for one loss at one date.

    Attributes
    ----------
    loss, date
        Name of the loss; when it is decided.
    kind, name
        One of `KINDS`, and what is learnt.
    worth
        By itself.
    beyond
        In addition to the reports to that date; none for the reports themselves.
    regions
        Of some parameters: lower and upper probability of each part of the range in which
        another option is best than now, and that option.
    """

    loss: str
    date: dt.date
    kind: str
    name: str
    worth: Worth
    beyond: Worth | None
    regions: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The options of one loss at one date, where nothing is learnt.

    Attributes
    ----------
    options, means
        Options, and the mean loss of each.
    above_best, errors
        Mean paired difference to the best, with its Monte Carlo standard error.
    best, p_wrong
        The best option, and a bound of the probability that another one is better.
    """

    loss: str
    date: dt.date
    options: tuple[str, ...]
    means: tuple[float, ...]
    above_best: tuple[float, ...]
    errors: tuple[float, ...]
    best: str
    p_wrong: float


@dataclass(frozen=True, slots=True)
class Information:
    """The value of information for a panel of losses at some dates.

    Attributes
    ----------
    scenario, n
        Its name; replications that every option has.
    panel
        The losses, with their weights.
    options
        The options at each date.
    rankings, learnings
        For every loss and date.
    n_unknowns
        Parameters and groups that were looked at for each of them.
    """

    scenario: str
    n: int
    panel: LossPanel
    options: Mapping[dt.date, tuple[str, ...]]
    rankings: list[Ranking]
    learnings: list[Learning]
    n_unknowns: int

    @property
    def z_family(self) -> float:
        """How many errors above 0 an unknown stands out among all that were looked at.

        Bonferroni, two-sided 5 % over `n_unknowns`.
        """
        from scipy.special import ndtri

        return float(ndtri(1.0 - 0.025 / max(1, self.n_unknowns)))

    def table(self) -> pd.DataFrame:
        """Return a row for each loss, date and unknown, ranked within kinds.

        ``value`` (in the unit of the loss) is 0 or more, ``estimate`` may lie below;
        ``low`` and ``high`` are the normal 95 % interval cut off at 0. ``is_clear`` says
        that it lies above 0 also when all unknowns looked at are taken together.
        """
        import pandas as pd

        rows = []
        for each in self.learnings:
            low, high = each.worth.interval()
            row: dict[str, object] = {
                "loss": each.loss,
                "unit": self.panel.losses[each.loss].unit,
                "date": each.date.isoformat(),
                "kind": each.kind,
                "unknown": each.name,
                "value": each.worth.value,
                "low": low,
                "high": high,
                "estimate": each.worth.estimate,
                "error": each.worth.error,
                "is_clear": each.worth.is_clear(self.z_family),
                "share_changed": each.worth.share_changed,
            }
            if each.beyond is not None:
                row |= {"beyond_reports": each.beyond.estimate, "beyond_error": each.beyond.error}
            row["another_is_best"] = "; ".join(
                f"{option} {_between(a, b)}" for a, b, option in each.regions
            )
            rows.append(row)
        frame = pd.DataFrame(rows)
        order = frame["kind"].map({kind: i for i, kind in enumerate(KINDS)})
        keys = ["loss", "date", "order", "estimate"]
        ranked = frame.assign(order=order).sort_values(
            keys, ascending=[True, True, True, False], kind="stable"
        )
        return ranked.drop(columns="order").reset_index(drop=True)

    def ranking(self) -> pd.DataFrame:
        """Return a row for each loss, date and option: mean loss, and how far from the best."""
        import pandas as pd

        rows = [
            {
                "loss": each.loss,
                "unit": self.panel.losses[each.loss].unit,
                "date": each.date.isoformat(),
                "option": option,
                "mean_loss": mean,
                "above_best": above,
                "error": error,
                "is_best": option == each.best,
                "p_wrong": round(each.p_wrong, 6) if option == each.best else float("nan"),
            }
            for each in self.rankings
            for option, mean, above, error in zip(
                each.options, each.means, each.above_best, each.errors, strict=True
            )
        ]
        return pd.DataFrame(rows)

    def brief(self, n_each: int = 3) -> pd.DataFrame:
        """Return what is worth most for each loss and date, ± Monte Carlo standard error.

        Parameters
        ----------
        n_each
            Parameters shown for each.
        """
        import pandas as pd

        rows = []
        for ranking in self.rankings:
            those = self._of(ranking)
            parameters = [each for each in those if each.kind == "parameter"][:n_each]
            others = [each for each in those if each.kind in {"everything", "reports"}]
            groups = [each for each in those if each.kind == "group"][:2]
            rows += [
                {
                    "loss": each.loss,
                    "date": each.date.isoformat(),
                    "unknown": each.name,
                    "value": _shown(each.worth) + self._caution(each),
                    "beyond reports": _shown(each.beyond) if each.beyond else "",
                    "unit": self.panel.losses[each.loss].unit,
                }
                for each in (*others, *groups, *parameters)
            ]
        return pd.DataFrame(rows)

    def sentences(self) -> list[str]:
        """Return what was found, in words."""
        said = [f"{ranking_sentence(self, r)} {self._learning_sentence(r)}" for r in self.rankings]
        said.append(
            f"Values are estimated on {self.n} replications by rules learnt on others, so noise "
            f"adds nothing; ± is the Monte Carlo standard error. {self.n_unknowns} unknowns were "
            "looked at for each loss and date: one is named only where it stands out among them."
        )
        if self.panel.note:
            said.append(f"Losses: {self.panel.note}")
        return said

    def _caution(self, each: Learning) -> str:
        """Say where something is above 0 by itself, but not among all that were looked at."""
        is_one_of_many = each.kind in {"parameter", "group"}
        is_luck = each.worth.is_clear() and not each.worth.is_clear(self.z_family)
        return f" (luck, of {self.n_unknowns}?)" if is_one_of_many and is_luck else ""

    def _of(self, ranking: Ranking) -> list[Learning]:
        """Return what belongs to a loss and date, the most valuable first."""
        those = [x for x in self.learnings if (x.loss, x.date) == (ranking.loss, ranking.date)]
        return sorted(those, key=lambda each: -each.worth.estimate)

    def _learning_sentence(self, ranking: Ranking) -> str:
        unit = self.panel.losses[ranking.loss].unit
        those = self._of(ranking)
        reports = next(each for each in those if each.kind == "reports")
        said = [f"The reports to that date are worth {_shown(reports.worth)} {unit}"]
        standing_out = [each for each in those if each.worth.is_clear(self.z_family)]
        single = [each for each in standing_out if each.kind == "parameter"]
        clear = single or [each for each in standing_out if each.kind == "group"]
        if not clear:
            said.append("no unknown looked at stands out from 0")
        for each in clear[:3]:
            beyond = f", {_shown(each.beyond)} beyond the reports" if each.beyond else ""
            where = "; ".join(f"{option} is best {_between(a, b)}" for a, b, option in each.regions)
            tail = f" ({where})" if where else ""
            said.append(f"{each.name} is worth {_shown(each.worth)} {unit}{beyond}{tail}")
        return "; ".join(said) + "."


def ranking_sentence(result: Information, ranking: Ranking) -> str:
    """Return which option is best where nothing is learnt, and how sure that is."""
    loss = result.panel.losses[ranking.loss]
    second = min(
        (i for i, option in enumerate(ranking.options) if option != ranking.best),
        key=lambda i: ranking.above_best[i],
    )
    gap = with_error(ranking.above_best[second], ranking.errors[second])
    return (
        f"{ranking.loss}, {ranking.date}: {ranking.best} has the least loss, "
        f"{ranking.options[second]} {gap} {loss.unit} more; P(another is better) "
        f"{_bound(ranking.p_wrong)}."
    )


def _between(low: float, high: float) -> str:
    """Return part of a parameter's range by its quantiles."""
    if low <= 0.0:
        return f"below the {high:.0%} quantile"
    if high >= 1.0:
        return f"above the {low:.0%} quantile"
    return f"between the {low:.0%} and {high:.0%} quantiles"


def _bound(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"<= {p:.2g}"


def _shown(worth: Worth | None) -> str:
    """Return a value with its error; where it is not above 0, that it may be 0."""
    if worth is None:
        return ""
    if worth.error == 0.0:
        return number(worth.value)
    text = with_error(worth.value, worth.error)
    return text if worth.is_clear() else f"{text} (0 within error)"

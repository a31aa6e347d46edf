"""How good a ledger was: each question's scores, with those of the base rate beside them.

All scores are negatively oriented: less is better. See docs/forecasts.md for which is proper
for what.

- **Brier**, binary: (p - o)^2 (G. W. Brier 1950); classes: the sum of it over classes (0 to 2).
- **log**: minus the logarithm of the probability of what came, in nats (I. J. Good 1952). A
  probability is clipped to [f, 1 - f] with f = 1 / (n + 2) of n replications, the mean of what is
  never seen in n (Laplace). The base rate is clipped at the same f.
- **CRPS** of a number, from its 100 frozen quantiles: twice the mean pinball loss (Gneiting and
  Ranjan 2011, doi:10.1198/jbes.2010.08110). The levels are the middles of 100 equal parts, so it is
  exactly the CRPS of the law with a hundredth at each quantile; that law is within half a level
  of the forecast's. Units differ, so means are over CRPS divided by the width of the base rate's
  90 % interval, which does not depend on what came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from simlib.evidence.ledger.base_rates import LEVELS
from simlib.finding import Finding, plot_room
from simlib.statistics.formatting import number
from simlib.statistics.intervals import standard_error
from simlib.statistics.scores import brier_score, clipped_log_score, place_in, quantile_crps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simlib.evidence.ledger.resolutions import Resolution

Measure = Literal["Brier", "Brier, classes", "log", "CRPS"]
MEASURES: tuple[Measure, ...] = ("Brier", "Brier, classes", "log", "CRPS")
_LOW, _HIGH = 5, 94
"""Positions of the levels nearest to .05 and .95: their mean width is the scale of CRPS."""


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One score of one question.

    Attributes
    ----------
    forecast, base
        What was stated, as text: a probability, or a median with its 90 % interval.
    score, base_score
        Less is better; in the unit of the question for a CRPS.
    scale
        What CRPS are divided by before they are averaged; 1 for other scores.
    """

    id: str
    kind: str
    measure: Measure
    forecast: str
    base: str
    outcome: str
    score: float
    base_score: float
    scale: float = 1.0

    @property
    def better(self) -> str:
        """Which scored less: the forecast, the base rate, or neither."""
        if self.score == self.base_score:
            return "neither"
        return "forecast" if self.score < self.base_score else "base rate"


@dataclass(frozen=True, slots=True)
class LedgerScores(Finding):
    """What a ledger scored.

    Attributes
    ----------
    lines
        In the order of the ledger; a question with probabilities has two.
    probabilities
        Stated probabilities (of a yes, and of each class) with whether it came, shape (n, 2).
    base_probabilities
        The same of the base rate.
    pit
        Where each number fell in its forecast: the mean of F(y-) and F(y).
    """

    stem: ClassVar[str] = "score"

    scenario: str
    digest: str
    lines: tuple[ScoreLine, ...]
    unresolved: tuple[str, ...]
    probabilities: NDArray[np.float64]
    base_probabilities: NDArray[np.float64]
    pit: NDArray[np.float64]

    def table(self) -> pd.DataFrame:
        """A row a score, with the base rate's and which was better."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "id": line.id,
                    "score": line.measure,
                    "forecast": line.forecast,
                    "base rate": line.base,
                    "outcome": line.outcome,
                    "value": line.score,
                    "base value": line.base_score,
                    "better": line.better,
                }
                for line in self.lines
            ]
        )

    def means(self) -> pd.DataFrame:
        """The mean of each score beside the base rate's, and the skill 1 - ratio.

        ``difference`` is the base rate's mean less the forecast's, above 0 where the forecast
        was better, with its standard error over questions (treated as independent).
        """
        import pandas as pd

        rows = []
        for measure in MEASURES:
            lines = [line for line in self.lines if line.measure == measure]
            if not lines:
                continue
            own = np.array([line.score / line.scale for line in lines])
            base = np.array([line.base_score / line.scale for line in lines])
            gain = base - own
            rows.append(
                {
                    "score": "CRPS, scaled" if measure == "CRPS" else measure,
                    "questions": len(gain),
                    "mean": float(own.mean()),
                    "base mean": float(base.mean()),
                    "difference": float(gain.mean()),
                    "standard error": standard_error(gain),
                    "skill": float(1.0 - own.mean() / base.mean()) if base.any() else np.nan,
                    "better": int((gain > 0).sum()),
                    "worse": int((gain < 0).sum()),
                }
            )
        return pd.DataFrame(rows)

    def brief(self) -> pd.DataFrame:
        """Mean scores beside the base rate's."""
        return self.means()

    def briefs(self) -> Mapping[str, pd.DataFrame]:
        """Show the means, then question by question."""
        return {
            "mean scores beside the base rate's; less is better": self.means(),
            "question by question": self.table(),
        }

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Every score, and their means."""
        return {"scores": self.table(), "means": self.means()}

    def figures(self) -> Mapping[str, Callable[[], Axes]]:
        """Whether what was stated came that often, and where numbers fell."""
        return {
            "reliability": lambda: plot_room().ledger_reliability(self),
            "pit": lambda: plot_room().ledger_pit(self),
        }

    def sentences(self) -> tuple[str, ...]:
        """Say how many questions resolved, losses first; by any score of a question."""
        n = len({line.id for line in self.lines})
        lost = sorted({line.id for line in self.lines if line.better == "base rate"})
        won = sorted({line.id for line in self.lines if line.better == "forecast"})
        return (
            f"{n} of {n + len(self.unresolved)} questions resolved, {len(self.unresolved)} not",
            f"the base rate was better on {len(lost)}: {', '.join(lost) or 'none'}",
            f"the forecast was better on {len(won)}: {', '.join(won) or 'none'}",
        )


def score(ledger: Mapping[str, Any], resolutions: Mapping[str, Resolution]) -> LedgerScores:
    """Score the questions of a ledger that have an answer.

    Parameters
    ----------
    ledger
        As `simlib.evidence.ledger.sealing.read_ledger` returns it, hashes verified.
    resolutions
        By id, as `simlib.evidence.ledger.resolutions.read_resolutions` returns them.
    """
    lines: list[ScoreLine] = []
    pairs: list[list[float]] = []
    base_pairs: list[list[float]] = []
    places: list[float] = []
    for question in ledger["questions"]:
        if question["id"] not in resolutions:
            continue
        outcome = resolutions[question["id"]].outcome
        # A number has one score and a place in its forecast; probabilities have two scores, and
        # pairs of what was stated with whether it came.
        if question["kind"] == "number":
            cap = question["forecast"]["cap"]
            # The forecast was frozen with its cap, and what came is read alike.
            value = float(outcome) if cap is None else min(float(outcome), cap)
            lines.append(_number_line(question, value))
            places.append(place_in(question["forecast"]["quantiles"], value))
        else:
            answer = outcome if isinstance(outcome, str) else "yes" if outcome else "no"
            lines += _probability_lines(question, answer)
            pairs += _pairs(question["forecast"], answer)
            base_pairs += _pairs(question["base"], answer)
    return LedgerScores(
        scenario=ledger["scenario"],
        digest=ledger["digest"],
        lines=tuple(lines),
        unresolved=tuple(q["id"] for q in ledger["questions"] if q["id"] not in resolutions),
        probabilities=np.array(pairs, dtype=np.float64).reshape(-1, 2),
        base_probabilities=np.array(base_pairs, dtype=np.float64).reshape(-1, 2),
        pit=np.array(places, dtype=np.float64),
    )


def stated(forecast: Mapping[str, Any]) -> str:
    """A forecast or a base rate as text: probabilities, or a median with 90 %."""
    if "quantiles" in forecast:
        quantiles: Sequence[float] = forecast["quantiles"]
        low, middle, high = quantiles[_LOW], quantiles[len(quantiles) // 2], quantiles[_HIGH]
        return f"{number(middle)} ({number(low)} to {number(high)})"
    law = _law(forecast)
    if "probability" in forecast:
        return f"{law['yes']:.3g}"
    return ", ".join(f"{name} {value:.2g}" for name, value in law.items() if value > 0.0)


def _probability_lines(question: Mapping[str, Any], answer: str) -> list[ScoreLine]:
    n = question["forecast"]["n"]
    own, base = _law(question["forecast"]), _law(question["base"])
    is_binary = question["kind"] == "binary"
    # Of a yes/no both classes err alike: Brier's sum over the two is halved.
    half = 0.5 if is_binary else 1.0
    scored: dict[Measure, tuple[float, float]] = {
        "Brier" if is_binary else "Brier, classes": (
            half * brier_score(own, answer),
            half * brier_score(base, answer),
        ),
        "log": (clipped_log_score(own[answer], n), clipped_log_score(base[answer], n)),
    }
    forecast, base_rate = stated(question["forecast"]), stated(question["base"])
    return [
        ScoreLine(question["id"], question["kind"], measure, forecast, base_rate, answer, *scores)
        for measure, scores in scored.items()
    ]


def _number_line(question: Mapping[str, Any], value: float) -> ScoreLine:
    own, base = question["forecast"]["quantiles"], question["base"]["quantiles"]
    # A base rate that is certain has no width: its CRPS are not scaled.
    width = (base[_HIGH] + base[_HIGH + 1] - base[_LOW - 1] - base[_LOW]) / 2.0
    return ScoreLine(
        id=question["id"],
        kind="number",
        measure="CRPS",
        forecast=stated(question["forecast"]),
        base=stated(question["base"]),
        outcome=number(value),
        score=quantile_crps(own, LEVELS, value),
        base_score=quantile_crps(base, LEVELS, value),
        scale=width or 1.0,
    )


def _law(forecast: Mapping[str, Any]) -> dict[str, float]:
    """The probability of each answer."""
    if "probability" in forecast:
        return {"yes": forecast["probability"], "no": 1.0 - forecast["probability"]}
    return {
        name: entry["probability"] if isinstance(entry, dict) else entry
        for name, entry in forecast["classes"].items()
    }


def _pairs(forecast: Mapping[str, Any], answer: str) -> list[list[float]]:
    """What was stated as probable, and whether it came: a yes, or each class.

    A class that is said never to come is no statement, unless it came.
    """
    law = _law(forecast)
    names = ["yes"] if "probability" in forecast else list(law)
    return [
        [law[name], float(name == answer)] for name in names if law[name] > 0.0 or name == answer
    ]

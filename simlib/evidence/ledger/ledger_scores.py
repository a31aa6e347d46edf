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

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simlib.evidence.ledger.base_rates import LEVELS
from simlib.statistics.formatting import number
from simlib.statistics.intervals import standard_error
from simlib.statistics.scores import brier_score, clipped_log_score, place_in, quantile_crps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from simlib.evidence.ledger.resolutions import Resolution

Measure = Literal["Brier", "Brier, classes", "log", "CRPS"]
MEASURES: tuple[Measure, ...] = ("Brier", "Brier, classes", "log", "CRPS")
_LOW, _HIGH = 5, 94
"""Positions of the levels nearest to .05 and .95: their mean width is the scale of CRPS."""


@dataclass(frozen=True, slots=True)
class Line:
    """One score of one question.

    Attributes
    ----------
    id, kind, measure
        The question, and which score.
    forecast, base
        What was said, as text: a probability, or a median with its 90 % interval.
    outcome
        What came, as text.
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


@dataclass(frozen=True, slots=True)
class Scores:
    """What a ledger scored.

    Attributes
    ----------
    scenario, digest
        Whose ledger.
    lines
        In the order of the ledger; a question with probabilities has two.
    unresolved
        Questions that have no answer yet.
    probabilities
        Stated probabilities (of a yes, and of each class) with whether it came, shape (n, 2).
    base_probabilities
        The same of the base rate.
    pit
        Where each number fell in its forecast: the mean of F(y-) and F(y).
    """

    scenario: str
    digest: str
    lines: tuple[Line, ...]
    unresolved: tuple[str, ...]
    probabilities: NDArray[np.float64]
    base_probabilities: NDArray[np.float64]
    pit: NDArray[np.float64]

    def table(self) -> pd.DataFrame:
        """Return a row a score, with the base rate's and which was better."""
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
                    "better": _better(line),
                }
                for line in self.lines
            ]
        )

    def means(self) -> pd.DataFrame:
        """Return the mean of each score beside the base rate's, and the skill 1 - ratio.

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
            n = len(gain)
            error = standard_error(gain)
            rows.append(
                {
                    "score": "CRPS, scaled" if measure == "CRPS" else measure,
                    "questions": n,
                    "mean": float(own.mean()),
                    "base mean": float(base.mean()),
                    "difference": float(gain.mean()),
                    "standard error": error,
                    "skill": float(1.0 - own.mean() / base.mean()) if base.any() else math.nan,
                    "better": int((gain > 0).sum()),
                    "worse": int((gain < 0).sum()),
                }
            )
        return pd.DataFrame(rows)

    def sentences(self) -> tuple[str, ...]:
        """Return what came of it in words, losses first; by any score of a question."""
        n = len({line.id for line in self.lines})
        lost = sorted({line.id for line in self.lines if _better(line) == "base rate"})
        won = sorted({line.id for line in self.lines if _better(line) == "forecast"})
        return (
            f"{n} of {n + len(self.unresolved)} questions resolved, {len(self.unresolved)} not",
            f"the base rate was better on {len(lost)}: {', '.join(lost) or 'none'}",
            f"the forecast was better on {len(won)}: {', '.join(won) or 'none'}",
        )


def score(ledger: Mapping[str, Any], resolutions: Mapping[str, Resolution]) -> Scores:
    """Score the questions of a ledger that have an answer.

    Parameters
    ----------
    ledger
        As `simlib.evidence.ledger.sealing.read_ledger` returns it, hashes verified.
    resolutions
        By id, as `simlib.evidence.ledger.resolutions.read_resolutions` returns them.
    """
    lines: list[Line] = []
    stated: list[list[float]] = []
    stated_base: list[list[float]] = []
    places: list[float] = []
    for question in ledger["questions"]:
        if question["id"] not in resolutions:
            continue
        outcome = resolutions[question["id"]].outcome
        if question["kind"] == "number":
            value = _capped(outcome, question)
            lines.append(_number_line(question, value))
            places.append(place_in(question["forecast"]["quantiles"], value))
            continue
        lines += _probability_lines(question, outcome)
        stated += _stated(question["forecast"], outcome)
        stated_base += _stated(question["base"], outcome)
    return Scores(
        scenario=ledger["scenario"],
        digest=ledger["digest"],
        lines=tuple(lines),
        unresolved=tuple(q["id"] for q in ledger["questions"] if q["id"] not in resolutions),
        probabilities=np.array(stated, dtype=np.float64).reshape(-1, 2),
        base_probabilities=np.array(stated_base, dtype=np.float64).reshape(-1, 2),
        pit=np.array(places, dtype=np.float64),
    )


def shown(said: Mapping[str, Any]) -> str:
    """Return a forecast or a base rate as text: probabilities, or a median with 90 %."""
    return _shown_quantiles(said["quantiles"]) if "quantiles" in said else _shown_law(_laws(said))


def _probability_lines(question: Mapping[str, Any], outcome: float | str) -> list[Line]:
    n = question["forecast"]["n"]
    own, base = _laws(question["forecast"]), _laws(question["base"])
    came = _name(outcome)
    is_binary = question["kind"] == "binary"
    head: dict[str, Any] = {
        "id": question["id"],
        "kind": question["kind"],
        "forecast": shown(question["forecast"]),
        "base": shown(question["base"]),
        "outcome": came,
    }
    brier: Measure = "Brier" if is_binary else "Brier, classes"
    # Of a yes/no both classes err alike: Brier's sum over the two is halved.
    half = 0.5 if is_binary else 1.0
    return [
        Line(
            **head,
            measure=brier,
            score=half * brier_score(own, came),
            base_score=half * brier_score(base, came),
        ),
        Line(
            **head,
            measure="log",
            score=clipped_log_score(own[came], n),
            base_score=clipped_log_score(base[came], n),
        ),
    ]


def _number_line(question: Mapping[str, Any], value: float) -> Line:
    own, base = question["forecast"]["quantiles"], question["base"]["quantiles"]
    # A base rate that is certain has no width: its CRPS are not scaled.
    width = (base[_HIGH] + base[_HIGH + 1] - base[_LOW - 1] - base[_LOW]) / 2.0
    return Line(
        id=question["id"],
        kind="number",
        measure="CRPS",
        forecast=shown(question["forecast"]),
        base=shown(question["base"]),
        outcome=number(value),
        score=quantile_crps(own, LEVELS, value),
        base_score=quantile_crps(base, LEVELS, value),
        scale=width or 1.0,
    )


def _capped(outcome: float | str, question: Mapping[str, Any]) -> float:
    cap = question["forecast"]["cap"]
    return float(outcome) if cap is None else min(float(outcome), cap)


def _laws(said: Mapping[str, Any]) -> dict[str, float]:
    """Return the probability of each answer."""
    if "probability" in said:
        return {"yes": said["probability"], "no": 1.0 - said["probability"]}
    return {
        name: entry["probability"] if isinstance(entry, dict) else entry
        for name, entry in said["classes"].items()
    }


def _stated(said: Mapping[str, Any], outcome: float | str) -> list[list[float]]:
    """Return what was stated as probable, and whether it came: a yes, or each class.

    A class that is said never to come is no statement, unless it came.
    """
    came = _name(outcome)
    law = _laws(said)
    names = ["yes"] if "probability" in said else list(law)
    return [[law[name], float(name == came)] for name in names if law[name] > 0.0 or name == came]


def _name(outcome: float | str) -> str:
    if isinstance(outcome, str):
        return outcome
    return "yes" if outcome else "no"


def _better(line: Line) -> str:
    if line.score == line.base_score:
        return "neither"
    return "forecast" if line.score < line.base_score else "base rate"


def _shown_law(law: Mapping[str, float]) -> str:
    if set(law) == {"yes", "no"}:
        return f"{law['yes']:.3g}"
    return ", ".join(f"{name} {value:.2g}" for name, value in law.items() if value > 0.0)


def _shown_quantiles(quantiles: Sequence[float]) -> str:
    low, middle, high = quantiles[_LOW], quantiles[len(quantiles) // 2], quantiles[_HIGH]
    return f"{number(middle)} ({number(low)} to {number(high)})"

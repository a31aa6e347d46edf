"""Fitters of what only published series tell: attack levels, operations, trend, who counts what.

Each level rests on one source; counts of several sources meet only as ratios.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.evidence.calibration.fitted_intensities import fit_intensities
from simlib.evidence.calibration.reporting import BetaShare, CountPair, fit_ratio, fit_share
from simlib.evidence.calibration.totals import (
    LogLevel,
    LogSlope,
    PeriodTotal,
    change,
    damped_months,
    fit_slope,
    fit_totals,
)
from simlib.evidence.excitation.shipped_fits import fitted_excitation
from simlib.theatre.analogues.withdrawal import fitted_withdrawal_effect
from simlib.theatre.record.fitters import (
    POOLS,
    ar1_posterior,
    clustering,
    fit_places,
    fit_ucdp_levels,
)

if TYPE_CHECKING:
    from simlib.evidence.calibration.published_record import Fitter, Record
    from simlib.evidence.fitted import Fitted


class Window(NamedTuple):
    """A period of a published total, which begins so many months after January 2018.

    Of two rows of the register the central value of the second is taken from that of the first.
    """

    ids: tuple[str, ...]
    first_month: float
    months: float


def _month(year: int, month: float) -> float:
    return 12.0 * (year - 2018) + month - 1.0


class PublishedLevel(NamedTuple):
    """A level of incidents and the totals of the one source it rests on.

    `excitation` is the parameter of their branching ratio, empty where they do not cluster.
    """

    source: str
    windows: tuple[Window, ...]
    excitation: str = ""


LEVELS = {
    "isis.level_syria": PublishedLevel(
        "Syria Weekly",
        (
            Window(("B2-SW-2024",), _month(2024, 1), 10.0),
            Window(("B2-LIS-2024", "B2-SW-2024"), _month(2024, 11), 1.5),
        ),
        "excite.drifting",
    ),
    "operations.level_iraq": PublishedLevel(
        "CENTCOM, partnered operations",
        (
            Window(("B3-2022-OPS-IQ",), _month(2022, 1), 12.0),
            Window(("B3-2023-01-OPS-IQ",), _month(2023, 1), 1.0),
            Window(("B3-2023-07-OPS-IQ",), _month(2023, 7), 1.0),
            Window(("B3-2024Q1-OPS-IQ",), _month(2024, 1), 3.0),
            Window(("B3-2024H1-OPS-IQ", "B3-2024Q1-OPS-IQ"), _month(2024, 4), 3.0),
        ),
    ),
    "operations.level_syria": PublishedLevel(
        "CENTCOM, partnered operations",
        (
            Window(("B3-2022-OPS-SY",), _month(2022, 1), 12.0),
            Window(("B3-2023-01-OPS-SY",), _month(2023, 1), 1.0),
            Window(("B3-2023-07-OPS-SY",), _month(2023, 7), 1.0),
            Window(("B3-2024Q1-OPS-SY",), _month(2024, 1), 3.0),
            Window(("B3-2024H1-OPS-SY", "B3-2024Q1-OPS-SY"), _month(2024, 4), 3.0),
        ),
    ),
    # Early July is taken as the 8th, the end of the year's count as the beginning of December.
    "turkiye.strike_level": PublishedLevel(
        "Community Peacemaker Teams",
        (
            Window(("B4-2021",), _month(2021, 1), 12.0),
            Window(("B4-2023",), _month(2023, 1), 12.0),
            Window(("B4-2024-06",), _month(2024, 1), 5.5),
            Window(("B4-2024-07", "B4-2024-06"), _month(2024, 6.5), 0.75),
            Window(("B4-2024", "B4-2024-07"), _month(2024, 7.25), 4.8),
        ),
        "excite.turkish",
    ),
}
STRIKE_PLACES = {
    "dohuk": "B4-2024-06-DUHOK",
    "erbil": "B4-2024-06-ERBIL",
    "sulaymaniyah": "B4-2024-06-SULAYMANIYAH",
    "nineveh": "B4-2024-06-NINEVEH",
}
STRIKE_FANO = 10.0
"""Strikes of one source at one place in a month come in campaigns: totals of 151, 324 and 98 a
month in 2024 vary as if each ten were one."""
PRESS = (
    *(("B1-MOI-RATE-2018", 365.0), ("B1-MOI-RATE-2019", 365.0), ("B1-MOI-RATE-2020", 366.0)),
    *(("B1-MOI-RATE-2021", 365.0), ("B1-MOI-2022", 1.0), ("B1-MOI-2023", 1.0)),
)
"""Yearly press counts of one author with what makes a total of the row."""
FIRST_HALF_TO_START = 9
"""Months from the middle of the first half of 2024 to the start of 2025."""


def fit_published_levels(record: Record) -> list[Fitted]:
    """Fit levels of attacks, operations and strikes, each to one published series."""
    found = []
    for name, level in LEVELS.items():
        totals = [_total(record, window) for window in level.windows]
        fano = clustering(record, level.excitation) if level.excitation else 1.0
        log_level = fit_totals(
            totals,
            ar1_posterior(record),
            prior_median=record.prior_median(name),
            fano=fano,
        )
        data = f"{level.source}: {_counts(level.windows, totals)}"
        method = (
            "Log-normal level under the averaged AR(1) of the UCDP series; variance over mean "
            f"{fano:.2g} from clustering"
        )
        found.append(record.fitted(name, _lognormal(log_level), data, method))
    return found


def _total(record: Record, window: Window) -> PeriodTotal:
    first, *less = (record.figure(row) for row in window.ids)
    return PeriodTotal(window.first_month, window.months, first - sum(less))


def _counts(windows: Sequence[Window], totals: Sequence[PeriodTotal]) -> str:
    return ", ".join(
        f"{total.incidents:g} in {total.months:g} months ({' less '.join(window.ids)})"
        for window, total in zip(windows, totals, strict=True)
    ).replace(" 1 months", " a month")


def slope_iraq(record: Record) -> LogSlope:
    """Fit the log slope of ISIS attacks in Iraq to changes within two sources."""
    press = [record.figure(row) * days for row, days in PRESS]
    changes = [
        change(earlier, later, months=12.0, lengths=(12.0, 12.0))
        for earlier, later in itertools.pairwise(press)
    ]
    monitor = change(
        record.figure("B1-LIS-2023"),
        record.figure("B1-LIS-2024H1"),
        months=9.0,
        lengths=(12.0, 6.0),
    )
    return fit_slope([*changes, monitor])


def fit_trend(record: Record) -> list[Fitted]:
    """Fit the trend of ISIS attacks in Iraq, and with it the level at the start."""
    slope = slope_iraq(record)
    trend = record.fitted(
        "trend.isis_iraq",
        {"normal": {"mean": slope.mean, "sd": slope.sd}},
        "Yearly press counts of one author 2018-2023 (B1-MOI-RATE-2018 to 2021, B1-MOI-2022, "
        "B1-MOI-2023) and one monitor's 2023 to first half of 2024 (B1-LIS-2023, B1-LIS-2024H1)",
        "Random walk with drift on six changes, each within its source; step integrated on a grid",
    )
    worth = damped_months(FIRST_HALF_TO_START, record.prior_median("trend.damping"))
    total = PeriodTotal(_month(2024, 1), 6.0, record.figure("B1-LIS-2024H1"), -slope.mean * worth)
    fano = clustering(record, "excite.drifting")
    level = fit_totals(
        [total],
        ar1_posterior(record),
        prior_median=record.prior_median("isis.level_iraq"),
        fano=fano,
    )
    level = LogLevel(level.mean, float(np.hypot(level.sd, slope.sd * worth)))
    return [
        trend,
        record.fitted(
            "isis.level_iraq",
            _lognormal(level),
            "One monitor: 35 attacks in the first half of 2024 (B1-LIS-2024H1)",
            "Log-normal level under the averaged AR(1) of the UCDP series, carried nine months "
            f"by the damped trend; variance over mean {fano:.2g} from clustering",
        ),
    ]


def fit_strike_places(record: Record) -> list[Fitted]:
    """Fit where Turkish strikes are from one monitor's count by governorate."""
    counts = np.array([record.figure(row) for row in STRIKE_PLACES.values()])
    fit = fit_intensities(list(STRIKE_PLACES), counts / STRIKE_FANO, np.zeros(len(counts)), 5.5)
    weights = dict(zip(STRIKE_PLACES, fit.dirichlet().tolist(), strict=True))
    return [
        record.fitted(
            "turkiye.places",
            {"dirichlet": weights},
            "Community Peacemaker Teams, 1 January to 15 June 2024: "
            f"{', '.join(f'{c:g}' for c in counts)} ({', '.join(STRIKE_PLACES.values())})",
            "Gamma rates partially pooled, hyperparameters integrated on a grid; "
            f"{STRIKE_FANO:g} strikes count as one, as they come in campaigns",
        )
    ]


def fit_reporting(record: Record) -> list[Fitted]:
    """Fit what SOHR sees of a monitor's attacks in Syria, and what ISIS claims."""
    ratio = partial(fit_ratio, fano=clustering(record, "excite.drifting"))
    kinds: dict[str, tuple[Callable[[Sequence[CountPair]], BetaShare], str]] = {
        "report.sohr": (ratio, "Log ratio with spread between pairs"),
        "report.claims": (fit_share, "Beta-binomial with spread between pairs"),
    }
    found = []
    for name, (fit, method) in kinds.items():
        rows = record.pairs(name)
        share = fit([CountPair(numerator, denominator) for numerator, denominator, _ in rows])
        data = f"{len(rows)} pairs of counts: {', '.join(label for *_, label in rows)}"
        text = f"{method} integrated on a grid; beta for another pair"
        found.append(record.fitted(name, {"beta": share._asdict()}, data, text))
    return found


def fit_excitation(record: Record) -> list[Fitted]:
    """Take what daily counts of earlier regimes and of 2024 say of clustering."""
    return fitted_excitation(as_of=record.as_of, pools=POOLS)


def fit_withdrawal(record: Record) -> list[Fitted]:
    """Update the prior of the withdrawal effect by the pooled analogues."""
    return [fitted_withdrawal_effect(record.as_of)]


def _lognormal(level: LogLevel) -> Mapping[str, Mapping[str, float]]:
    return {"lognormal": {"median": float(np.exp(level.mean)), "sigma": level.sd}}


FITTERS: tuple[Fitter, ...] = (
    fit_ucdp_levels,
    fit_places,
    fit_published_levels,
    fit_trend,
    fit_strike_places,
    fit_reporting,
    fit_excitation,
    fit_withdrawal,
)
"""Everything that is fitted, for `simlib.evidence.calibrate`."""

"""The fitters of the theatre: which record each parameter is fitted to, and how.

A fitter takes a `Record` and returns what it says of parameters. To add one, append it to
`FITTERS` of `simlib.theatre.record.published`. What no fitter names keeps its prior: decisions,
postures and everything after 8 December 2024 have no data.
"""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlib.chance.distributions import mean as mean_of
from simlib.chance.distributions import quantile
from simlib.evidence.calibration.fitted_intensities import fit_intensities
from simlib.evidence.calibration.level_fits import (
    Ar1Grid,
    LevelPosterior,
    MonthlySeries,
    fit_levels,
    pattern_weights,
)
from simlib.evidence.excitation.excitation_regimes import Regime
from simlib.evidence.excitation.shipped_fits import Pool, fitted_excitation
from simlib.evidence.history.tallies import shipped_panel
from simlib.evidence.panels import CountPanel
from simlib.statistics.moments import beta_arguments, gamma, weighted_moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.evidence.calibration.published_record import Record
    from simlib.evidence.fitted import Fitted


def _regime(group: str, name: str, country: str, of: int | tuple[str, ...], span: str) -> Regime:
    first, last = map(dt.date.fromisoformat, span.split("/"))
    series = of if isinstance(of, tuple) else ()
    return Regime(group, name, country, series, 0 if series else int(str(of)), first, last)


_SNA = ("sna_sdf_syria", "insurgents_sdf_syria")
REGIMES = (
    _regime("isis", "isf_isis_iraq", "Iraq", 259, "2010-01-01/2011-12-31"),
    _regime("isis", "isf_isis_iraq", "Iraq", 259, "2012-01-01/2013-12-31"),
    # Wars over cities: shown, not pooled.
    _regime("", "isf_isis_iraq", "Iraq", 259, "2014-01-01/2017-12-31"),
    _regime("", "government_isis_syria", "Syria", 13604, "2016-01-01/2017-12-31"),
    _regime("", "isis_sdf_syria", "Syria", 13616, "2016-01-01/2017-12-31"),
    _regime("isis", "isf_isis_iraq", "Iraq", 259, "2018-01-01/2018-12-31"),
    _regime("isis", "isf_isis_iraq", "Iraq", 259, "2024-01-01/2024-11-30"),
    _regime("isis", "government_isis_syria", "Syria", 13604, "2018-01-01/2018-12-31"),
    _regime("isis", "government_isis_syria", "Syria", 13604, "2019-01-01/2019-11-30"),
    _regime("isis", "government_isis_syria", "Syria", 13604, "2024-01-01/2024-11-30"),
    _regime("isis", "isis_sdf_syria", "Syria", 13616, "2018-01-01/2018-12-31"),
    # The fall of Baghuz, the last town, was in March 2019.
    _regime("isis", "isis_sdf_syria", "Syria", 13616, "2019-04-01/2019-11-30"),
    _regime("isis", "isis_sdf_syria", "Syria", 13616, "2024-01-01/2024-11-30"),
    # Afrin and October 2019 are shown: an offensive that swells within a month passes for
    # clustering, and there is no month before it to tell.
    _regime("", "sna_sdf_syria", "Syria", _SNA, "2018-01-20/2018-03-31"),
    _regime("clash", "sna_sdf_syria", "Syria", _SNA, "2018-05-01/2019-08-31"),
    _regime("", "sna_sdf_syria", "Syria", _SNA, "2019-10-09/2019-11-30"),
    _regime("clash", "sna_sdf_syria", "Syria", _SNA, "2024-01-01/2024-11-30"),
    _regime("turkish", "turkiye_pkk_iraq", "Iraq", 354, "2017-01-01/2018-12-31"),
    _regime("turkish", "turkiye_pkk_iraq", "Iraq", 354, "2024-01-01/2024-11-30"),
    # Another country, another kind of war: shown as the nearest proxy.
    _regime("", "turkiye_pkk_turkey", "Turkey", 354, "2015-07-20/2016-12-31"),
    _regime("", "turkiye_pkk_turkey", "Turkey", 354, "2018-01-01/2018-12-31"),
    _regime("", "turkiye_pkk_turkey", "Turkey", 354, "2019-01-01/2019-11-30"),
)

POOLS = {
    "excite.drifting": Pool("isis", 0.30, "children per attack"),
    "excite.clash": Pool("clash", 0.333, "children per clash"),
    "excite.turkish": Pool("turkish", 0.11, "children per strike"),
    "excite.decay": Pool("", 0.30, "days", is_decay=True),
}
"""What each parameter of clustering is pooled from. An ISIS attack is lethal in about three of ten
cases, a clash in one of three; UCDP has a row for one strike in nine."""


class Ucdp(NamedTuple):
    """A UCDP series: the id of its conflict, and how it counts what clusters.

    `counted` is the share of clustering incidents that the series counts, weighed by their share
    of it; `excitation` the parameter of their branching ratio.
    """

    conflict: str
    counted: float
    excitation: str


UCDP = {
    # One event in four is an attack, one attack in three lethal.
    "isf_isis_iraq": Ucdp("259", 0.08, "excite.drifting"),
    # One strike in eight has a row.
    "turkiye_pkk_iraq": Ucdp("354", 0.12, "excite.turkish"),
    "government_isis_syria": Ucdp("13604", 0.42, "excite.drifting"),
    # Four events in five are attacks, one attack in five lethal.
    "isis_sdf_syria": Ucdp("13616", 0.17, "excite.drifting"),
    "sna_sdf_syria": Ucdp("14803", 0.33, "excite.clash"),
    # Not modelled as clustering; its level is not carried over to the new government.
    "government_sdf_syria": Ucdp("13809", 0.0, "excite.clash"),
}
SEASON = -np.cos(np.pi * np.arange(12) / 6.0)
"""Share of the season's amplitude by calendar month, lowest in January, as in the theatre."""


GEOGRAPHIES = {
    "isis.places_iraq": "isf_isis_iraq",
    "operations.places_iraq": "isf_isis_iraq",
    "ucdp.places_13604": "government_isis_syria",
    "ucdp.places_13616": "isis_sdf_syria",
    "ucdp.places_14803": "sna_sdf_syria",
    "ucdp.places_354": "turkiye_pkk_iraq",
}
"""Dirichlet of places -> the UCDP series whose places it is fitted to. Attacks and operations in
Iraq share a series whose rows of 2024 have no sides: both have the geography of all of them."""
OLDER = {"Iraq": ("GED 19.1", 2018), "Syria": ("GED 2016-18 + candidate 2019", 2019)}
"""Vintage and last year with events by governorate before the gap, by country."""


def ar1_grid(record: Record) -> Ar1Grid:
    """Lay the prior of persistence and spread of the AR(1) multipliers out as points."""
    rho, sd = np.meshgrid(
        record.prior_points("tempo.rho"), record.prior_points("tempo.sd"), indexing="ij"
    )
    return Ar1Grid(rho.ravel(), sd.ravel(), np.full(rho.size, 1.0 / rho.size))


def _series(record: Record, name: str) -> MonthlySeries:
    """Take a UCDP series with the prior of its level; all rows of Türkiye-PKK."""
    conflict = UCDP[name].conflict
    is_lethal = name != "turkiye_pkk_iraq"
    counts = record.monthly(name, lethal=is_lethal)
    parameters = record.base.parameters
    names = [f"ucdp.level_{conflict}", *([] if is_lethal else ["ucdp.quiet_354"])]
    priors = [parameters[each].distribution or {} for each in names if each in parameters]
    means = [mean_of(kind, arguments) for prior in priors for kind, arguments in prior.items()]
    pattern = None if is_lethal else 1.0 + _amplitude(record) * _season(record)
    # What no parameter carries is there for the AR(1) alone: any vague prior of its level will do.
    fano = clustering(record, UCDP[name].excitation, UCDP[name].counted)
    return MonthlySeries(counts, sum(means) or float(counts.mean()), fano, pattern)


def clustering(record: Record, excitation: str, counted: float = 1.0) -> float:
    """Take the variance over mean of monthly counts that clustering alone gives.

    With n children an incident it is F = 1 / (1 - n)^2 for all incidents and 1 + p (F - 1) for
    a share p of them counted at random; n is the median of what was fitted to daily counts.
    """
    (found,) = (
        one for one in fitted_excitation(as_of=record.as_of, pools=POOLS) if one.name == excitation
    )
    ((kind, arguments),) = found.distribution.items()
    ratio = quantile(kind, arguments, 0.5)
    return 1.0 + counted * ((1.0 - ratio) ** -2 - 1.0)


def _season(record: Record) -> NDArray[np.float64]:
    calendar = record.lethal.months.astype(np.int64) % 12
    return np.asarray(SEASON[calendar])


def _amplitude(record: Record) -> float:
    return float(record.prior_points("season.amplitude").mean())


@functools.lru_cache(maxsize=4)
def ucdp_levels(record: Record) -> LevelPosterior:
    """Fit the levels of all UCDP series and the AR(1) of their multipliers jointly."""
    return fit_levels({name: _series(record, name) for name in UCDP}, ar1_grid(record))


def fit_ucdp_levels(record: Record) -> list[Fitted]:
    """Fit levels of lethal events, and the AR(1) that the series share."""
    levels = ucdp_levels(record)
    found = []
    for name, (conflict, *_) in UCDP.items():
        parameter = f"ucdp.level_{conflict}"
        if parameter not in record.base.parameters or conflict == "354":
            continue
        total = int(record.monthly(name).sum())
        data = f"{total} lethal events of conflict {conflict}, {_period(record)}"
        fano = _series(record, name).fano
        method = f"{_FILTER}; variance over mean {fano:.2g} from clustering"
        found.append(record.fitted(parameter, gamma(*levels.moments(name)), data, method))
    return [*found, *_turkish(record, levels), *_ar1(record, levels), _season_fit(record)]


_FILTER = "Poisson level times a log AR(1), filtered on a grid, six series sharing the AR(1)"


def _turkish(record: Record, levels: LevelPosterior) -> list[Fitted]:
    """Fit lethal and other rows of Türkiye-PKK: a level of rows and a share of lethal ones."""
    rows = int(record.monthly("turkiye_pkk_iraq", lethal=False).sum())
    lethal = int(record.monthly("turkiye_pkk_iraq").sum())
    data = f"{lethal} lethal of {rows} rows of conflict 354 in Iraq, {_period(record)}"
    method = f"{_FILTER}; lethal share beta from a uniform prior"
    mean, variance = levels.moments("turkiye_pkk_iraq")
    found = []
    for name, count in (("ucdp.level_354", lethal), ("ucdp.quiet_354", rows - lethal)):
        a, b = count + 1.0, rows - count + 1.0
        share = a / (a + b)
        second = share * (a + 1.0) / (a + b + 1.0)
        product = (variance + mean**2) * second - (mean * share) ** 2
        found.append(record.fitted(name, gamma(mean * share, product), data, method))
    return found


def _ar1(record: Record, levels: LevelPosterior) -> list[Fitted]:
    data = f"Monthly lethal events of six UCDP series, {_period(record)}"
    return [
        record.fitted(
            f"tempo.{name}",
            {
                "beta": beta_arguments(
                    *weighted_moments(values, levels.weights), *record.support(f"tempo.{name}")
                )
            },
            data,
            _FILTER,
        )
        for name, values in (("rho", levels.grid.rho), ("sd", levels.grid.sd))
    ]


def _season_fit(record: Record) -> Fitted:
    """Fit the season's amplitude with level and AR(1) integrated."""
    amplitudes = record.prior_points("season.amplitude")
    series = _series(record, "turkiye_pkk_iraq")
    weights = pattern_weights(series, ar1_posterior(record), amplitudes, _season(record))
    moments = weighted_moments(amplitudes, weights)
    low, high = record.support("season.amplitude")
    rows = int(series.counts.sum())
    return record.fitted(
        "season.amplitude",
        {"beta": beta_arguments(*moments, low, high)},
        f"{rows} rows of conflict 354 in Iraq by month, {_period(record)}: one summer",
        "Likelihood of the filtered series at each amplitude, times the prior",
    )


def fit_places(record: Record) -> list[Fitted]:
    """Fit where incidents are: intensities by governorate, and of these the shares."""
    found = []
    for name, series in GEOGRAPHIES.items():
        slugs = list((record.base.parameters[name].distribution or {})["dirichlet"])
        places = [_place(record, slug) for slug in slugs]
        known = older(record, series)
        counts, guide = record.lethal.by_place(series, places), known.by_place(series, places)
        fit = fit_intensities(places, counts, guide, record.months)
        weights = dict(zip(slugs, fit.dirichlet().tolist(), strict=True))
        total, located = int(record.monthly(series).sum()), int(counts.sum())
        data = (
            f"{located} of {total} lethal events of conflict {UCDP[series].conflict} located "
            f"in these places, {_period(record)}; {int(guide.sum())} of "
            f"{str(known.months[0])[:4]} as guide"
        )
        method = (
            "Gamma rates partially pooled, hyperparameters integrated on a grid; the guide has "
            f"weight {fit.older_weight:.2f}; shares from located rows only"
        )
        found.append(record.fitted(name, {"dirichlet": weights}, data, method))
    return found


def older(record: Record, series: str) -> CountPanel:
    """Take the lethal counts of the last earlier year known by place, as a guide."""
    return _older("Syria" if series.endswith("syria") else "Iraq", record.as_of)


@functools.lru_cache(maxsize=4)
def _older(country: str, as_of: dt.date) -> CountPanel:
    vintage, year = OLDER[country]
    counts = shipped_panel(vintage=vintage, as_of=as_of)
    is_kept = counts.months >= np.datetime64(f"{year}-01", "M")
    return CountPanel(
        counts.units, counts.months[is_kept], counts.counts[:, is_kept], counts.vintage
    )


def _place(record: Record, slug: str) -> str:
    by_slug = {place.lower().replace(" ", "_").replace("-", "_"): place
               for place in record.base.places}  # fmt: skip
    return by_slug[slug]


def _period(record: Record) -> str:
    months = record.lethal.months
    return f"{months[0]} to {months[-1]}, UCDP {record.lethal.vintage}"


def ar1_posterior(record: Record) -> Ar1Grid:
    """Weigh the points of the AR(1) by the UCDP series."""
    levels = ucdp_levels(record)
    return Ar1Grid(levels.grid.rho, levels.grid.sd, levels.weights)

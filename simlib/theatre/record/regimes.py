"""The regimes of the record that excitation is fitted to, and what of them goes together."""

from __future__ import annotations

import datetime as dt

from simlib.evidence.excitation.excitation_regimes import Regime
from simlib.evidence.excitation.shipped_fits import Pool


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

"""What a calibration says of one scenario parameter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted distribution of a scenario parameter, with what it rests on.

    Attributes
    ----------
    name
        The scenario parameter.
    distribution
        As a scenario spells it, such as ``{"beta": {"a": 3.1, "b": 9.4}}``.
    unit
        Unit of the parameter.
    data
        What it was fitted to, with its source and vintage.
    method
        How, in one sentence.
    as_of
        Nothing dated or published later was read.
    """

    name: str
    distribution: Mapping[str, Mapping[str, float]]
    unit: str
    data: str
    method: str
    as_of: dt.date

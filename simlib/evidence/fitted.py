"""What a calibration says of one scenario parameter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted distribution of a scenario parameter, with what it rests on.

    It is spelled as a scenario does, such as ``{"beta": {"a": 3.1, "b": 9.4}}``. `data` is what it
    was fitted to, with source and vintage; `method` says how, in one sentence. Nothing dated or
    published after `as_of` was read.
    """

    name: str
    distribution: Mapping[str, Mapping[str, float]]
    unit: str
    data: str
    method: str
    as_of: dt.date

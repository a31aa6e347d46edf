"""Scenarios: what they are, how they are read, checked and written."""

from simlib.scenario.differing import Difference, differences
from simlib.scenario.loading import (
    as_scenario,
    check,
    from_dict,
    load,
    load_text,
    with_design,
)
from simlib.scenario.options import option_lineage, option_scenario
from simlib.scenario.writing import digest, resolve

__all__ = [
    "Difference",
    "as_scenario",
    "check",
    "differences",
    "digest",
    "from_dict",
    "load",
    "load_text",
    "option_lineage",
    "option_scenario",
    "resolve",
    "with_design",
]

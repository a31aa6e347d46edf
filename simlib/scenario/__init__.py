"""Scenarios: what they are, how they are read, checked and written."""

from simlib.scenario.canonical import digest, resolve
from simlib.scenario.loading import (
    as_scenario,
    check,
    examined,
    from_dict,
    load,
    load_text,
    with_changes,
)
from simlib.scenario.variants import (
    Difference,
    differences,
    option_lineage,
    option_scenario,
    with_design,
)

__all__ = [
    "Difference",
    "as_scenario",
    "check",
    "differences",
    "digest",
    "examined",
    "from_dict",
    "load",
    "load_text",
    "option_lineage",
    "option_scenario",
    "resolve",
    "with_changes",
    "with_design",
]

"""Scenarios: what they are, how they are read, checked and written."""

from simlib.scenario.loading import check, from_dict, load, load_text, option_scenario
from simlib.scenario.writing import digest, resolve

__all__ = ["check", "digest", "from_dict", "load", "load_text", "option_scenario", "resolve"]

"""Small scenarios in which it is known what goes with an outcome, and what tells an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.scenario import load_text

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

NOISE = tuple(f"noise_{i}" for i in range(5))
_NOISE = "".join(
    f"  {name}: {{distribution: {{uniform: {{low: 0, high: 1}}}}, unit: '1', judgement: test}}\n"
    for name in NOISE
)
DRAWN = f"""\
simlib: 1
name: drawn
context_of_use: Tests of the library.
start: 2000-01-01
end: 2000-06-30
root_seed: 5
places:
  North: {{kind: governorate, country: Iraq}}
parameters:
  raids:
    distribution: {{uniform: {{low: 5, high: 15}}}}
    unit: incidents per month
    judgement: test
  parts: {{distribution: {{dirichlet: {{one: 2, two: 3}}}}, unit: share, judgement: test}}
  scale: {{value: 1, unit: '1', judgement: test}}
  idle: {{expression: "2 * noise_0", unit: '1', judgement: test}}
{_NOISE}incidents:
  raid:
    groups:
      main: {{target: posts, level: {{North: raids * scale}}}}
  patrol:
    groups:
      main: {{target: roads, level: {{North: 10}}}}
timeline:
  exit: {{date: 2000-04-30}}
options:
  as_planned: {{}}
  more: {{parameters: {{scale: {{value: 2, unit: '1', judgement: test}}}}}}
outcomes:
  raids: {{count: raid, unit: incidents}}
  patrols: {{count: patrol, unit: incidents}}
  exit_class: {{milestone: exit, classes: [met, slipped]}}
  exit_months: {{milestone: exit, measure: months_late}}
"""
OMENS = """\
simlib: 1
name: omens
context_of_use: Tests of the library.
start: 2000-01-01
end: 2001-12-31
root_seed: 11
places:
  North: {kind: governorate, country: Iraq}
incidents:
  omen:
    excites: [{type: blow, ratio: 0.95, decay_days: 40, own_place: 1}]
    groups:
      main: {target: posts, level: {North: 0.05}}
  blow:
    groups:
      main: {target: posts, level: {North: 0.0475}}
  patrol:
    groups:
      main: {target: roads, level: {North: 5}}
series:
  omens: {lag_days: 10, rows: [{incident: omen}]}
  patrols: {lag_days: 10, rows: [{incident: patrol}]}
outcomes:
  blows: {count: blow}
"""


def drawn() -> Scenario:
    """Return a scenario in which `raids` alone drives an outcome, among noise."""
    return load_text(DRAWN)


def omens(lag_days: int = 10) -> Scenario:
    """Return a scenario in which blows come of omens, 40 days later on average.

    The level of blows is all due to omens: none comes by itself.
    """
    return load_text(OMENS.replace("lag_days: 10", f"lag_days: {lag_days}"))

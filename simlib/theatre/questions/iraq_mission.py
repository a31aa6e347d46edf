"""Whether the mission in Iraq is extended: the deadline, its committee, what is asked of both."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simlib.analysis.selection.deadlines import Deadline, DecisionQuestion, GroundWeight
from simlib.analysis.selection.observables import Public
from simlib.scenario.schema import Outcome
from simlib.theatre.agents.committee import IRAQ, MEETINGS
from simlib.theatre.questions.committee_choices import solve_constants

if TYPE_CHECKING:
    from simlib.scenario.schema import Scenario

DEADLINE = Deadline(
    milestone=IRAQ,
    agent="committee",
    extended="formally_extended",
    decision="extension_months",
    leads=tuple(f"committee.lead_{meeting}" for meeting in MEETINGS),
    lengths=(6, 12, 24),
)
BEFORE = "isis_attacks_iraq_before_meetings"
"""Attacks that no answer of the committee can change: a gap in them is selection alone."""


def with_attacks_before(scenario: Scenario) -> Scenario:
    """A scenario that also counts attacks before the first scheduled meeting."""
    last = min(DEADLINE.meetings(scenario)) - dt.timedelta(days=1)
    if "isis_attack" not in scenario.incidents or last <= scenario.start:
        return scenario
    before = Outcome.model_validate(
        {
            "count": "isis_attack",
            "in": "Iraq",
            "from": scenario.start,
            "to": last,
            "unit": "attacks",
            "label": "ISIS attacks in Iraq before the committee first meets",
            "description": "Attacks in Iraq before the first scheduled meeting.",
        }
    )
    return scenario.model_copy(update={"outcomes": {BEFORE: before} | scenario.outcomes})


EXTENSION = DecisionQuestion(
    deadline=DEADLINE,
    public=Public(heard=("detention_break", "militia_attack"), troops="coalition.troops"),
    # None, the prior mean, twice it.
    slope=GroundWeight("committee.baghdad_threat", (0.0, 0.6, 1.2), solve_constants),
    with_before=with_attacks_before,
    headlines=("isis_attacks_iraq_year_1", BEFORE),
)
"""For `simlib.analysis.readings` and `simlib.analysis.value_of_information`."""
LEVERS = (
    "isis.level_iraq",
    "isis.recruits",
    "israel.overflight_rate",
    "isis.fighters",
    "isf.strength",
    "parliament_demands_exit",
    "turkiye",
    "israel_iran.posture",
    IRAQ,
    "harir_exit",
)
"""What a scenario over one of the theatre's moves most often: `simlib new` shows it."""
HEADLINES = (
    "extension_probability_june",
    "isis_attacks_iraq_year_1",
    "isis_attacks_syria_2025",
    "turkish_strikes_2025",
    "ucdp_259_2025",
    "detention_breaks",
)
"""Outcomes of `as_agreed` that cards of the register show."""

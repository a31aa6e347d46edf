"""Fixed windows that begin when a milestone is agreed for, though an option moves it.

"The year after they leave" is another year when they leave later.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simlib.scenario.nodes import find, problem_at
from simlib.scenario.schema import several
from simlib.scenario.wording import listed

if TYPE_CHECKING:
    from simlib.errors import Problem
    from simlib.scenario.nodes import Node, Path
    from simlib.scenario.schema import Event, Option, Outcome, Scenario

MONTH_DAYS = 365.25 / 12


def warnings_of(scenario: Scenario, tree: Node) -> list[Problem]:
    """What a reader of each such window is told, where the file itself has it or moves it."""
    found = []
    followed = [_without_window(o) for o in scenario.outcomes.values() if _follows(o)]
    for name, outcome in scenario.outcomes.items():
        if _without_window(outcome) in followed:
            continue  # who has both windows knows the difference
        path = ("outcomes", name, "from")
        for milestone, entry in scenario.timeline.items():
            if _begins_with(outcome, entry.date):
                movers = _movers(scenario, milestone)
                if not _is_own(tree, path):
                    movers = [p for p in movers if _is_own(tree, p)]
                if movers:
                    who = listed({mover[-1] for mover in movers})
                    rule = f"begins when {milestone} is agreed for, which {who} may move"
                    hint = _instead(outcome, scenario, milestone)
                    where = path if _is_own(tree, path) else movers[0]
                    rule = rule if where == path else f"{'.'.join(path)} {rule}"
                    found.append(problem_at(find(tree, where)[0], where, rule, hint))
    return found


def _follows(outcome: Outcome) -> bool:
    """Whether the window follows a milestone."""
    return isinstance(outcome.start, str)


def _without_window(outcome: Outcome) -> dict[str, object]:
    """What an outcome counts, whenever it counts it."""
    told = {"description", "label", "topic"}
    return outcome.model_dump(exclude={"start", "end", "months", "days"} | told)


def _is_own(tree: Node, path: Path) -> bool:
    return find(tree, path)[0].file == tree.mark.file


def _begins_with(outcome: Outcome, agreed: dt.date | None) -> bool:
    """Whether a window begins on a date, or on the day after."""
    if agreed is None or not isinstance(outcome.start, dt.date):
        return False
    return agreed <= outcome.start <= agreed + dt.timedelta(days=1)


def _instead(outcome: Outcome, scenario: Scenario, milestone: str) -> str:
    """How to write a window of the same length that follows the milestone."""
    assert isinstance(outcome.start, dt.date)  # noqa: S101
    length = f"days: {outcome.days}" if outcome.days else f"months: {outcome.months}"
    if not (outcome.days or outcome.months):
        days = ((outcome.end or scenario.end) - outcome.start).days + 1
        length = f"months: {max(round(days / MONTH_DAYS), 1)}"
    return f"from: {milestone}, {length} goes with it"


def _movers(scenario: Scenario, milestone: str) -> list[tuple[str, str]]:
    """Where options, and events of the scenario, stand that move a milestone."""
    options = [name for name, option in scenario.options.items() if _moves(option, milestone)]
    events = [name for name, event in scenario.events.items() if milestone in _moved_by(event)]
    return [*(("options", name) for name in options), *(("events", name) for name in events)]


def _moves(option: Option, milestone: str) -> bool:
    change = option.timeline.get(milestone)
    is_moved = change is not None and bool(
        change.shift or change.extend or change.date or change.cancel
    )
    return is_moved or any(milestone in _moved_by(event) for event in option.events.values())


def _moved_by(event: Event) -> set[str]:
    return {*event.move, *several(event.cancel)}

"""Events: when they come, what they do, and that no two of them contradict one another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlib.errors import SimulationError
from simlib.journal import SCENARIO
from simlib.scenario import absences
from simlib.scenario.event_conditions import ConditionError, read_condition
from simlib.scenario.expressions import ExpressionError, compile_quantity
from simlib.scenario.parameter_values import order
from simlib.scenario.relative_changes import is_share
from simlib.scenario.schema import EACH, RELATIVE, SHARE, STOCK, TOTAL, Event, moved, several
from simlib.scenario.timeline_rules import is_shift
from simlib.scenario.variants import removals
from simlib.scenario.wording import shown

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Amount, Quantity, Removal, Scenario

DOES = (
    *("set", "times", "add", "enter", "parameter", "move", "cancel", "complete"),
    *("remove", "admit"),
)
"""What an event may do."""
_OF_STATE = ("set", "times", "add")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check(context: Context) -> None:
    """Note what is wrong with the events of a scenario and of its options."""
    scenario = context.scenario
    for agent, entry in scenario.agents.items():
        if entry.on_removal is not None:
            _check_removal(context, ("agents", agent, "on_removal"), entry.on_removal)
    if SCENARIO in scenario.agents:
        rule = f"must not be the name that events are journalled under (got {SCENARIO})"
        context.add(("agents", SCENARIO), rule)
    _check_removed(context, ("remove",), scenario.remove)
    for name, event in scenario.events.items():
        _check_event(context, ("events", name), event, None)
    _check_together(context, _placed(scenario, ""))
    for name, option in scenario.options.items():
        _check_removed(context, ("options", name, "remove"), option.remove)
        for event_name, event in option.events.items():
            path = ("options", name, "events", event_name)
            _check_event(context, path, event, option.at)
            if option.at is None and event == scenario.events.get(event_name):
                context.add(path, "changes nothing: it is the scenario's event of that name")
        if option.events or option.remove:
            _check_together(context, _placed(scenario, name))


def _check_removal(context: Context, path: Path, removal: Removal) -> None:
    """Note what an agent's entry says goes with it and is not there."""
    for posture, state in removal.rest.items():
        if posture in context.scenario.postures:
            known = context.states_of(posture)
            context.expect((*path, "rest", posture), "state", state, known)
    for variable, amount in removal.set.items():
        if variable in context.scenario.state:
            _check_amount(context, (*path, "set", variable), Event(), amount)
    incidents = context.scenario.incidents
    groups = [f"{name}.{group}" for name, each in incidents.items() for group in each.groups]
    for i, name in enumerate(removal.close):
        context.expect((*path, "close", i), "incident type or group", name, [*incidents, *groups])


def _check_removed(context: Context, path: Path, agents: str | tuple[str, ...]) -> None:
    """Note agents of which nobody has said what goes with them, or who are named twice."""
    named = several(agents)
    for i, name in enumerate(named):
        entry = context.scenario.agents.get(name)
        here = path if isinstance(agents, str) else (*path, i)
        if entry is not None and entry.on_removal is None:
            rule = f"agent {name} must have on_removal to be removed (got none)"
            context.add(here, rule, "what becomes 0, recurs no more and rests")
        if name in named[:i]:
            context.add(here, f"is named twice (got {name})")


def _placed(scenario: Scenario, option: str) -> dict[str, tuple[Path, Event]]:
    """The events under an option by name, and where each is written."""
    found: dict[str, tuple[Path, Event]] = {
        name: (("remove",), event) for name, event in removals(scenario.remove, scenario.start)
    }
    found |= {name: (("events", name), event) for name, event in scenario.events.items()}
    lineage: list[str] = []
    while option in scenario.options and option not in lineage:
        lineage.insert(0, option)
        option = scenario.options[option].of or ""
    for each in lineage:
        at = scenario.options[each].at or scenario.start
        for name, event in removals(scenario.options[each].remove, at):
            found[name] = ("options", each, "remove"), event
        for name, event in scenario.options[each].events.items():
            found[name] = ("options", each, "events", name), event
    return found


def _check_event(context: Context, path: Path, event: Event, fork: dt.date | None) -> None:
    if not any(getattr(event, key) for key in DOES):
        context.add(path, f"must do something (got none of {', '.join(DOES)})")
    kind = context.expect_one(path, event, ("on", "when"))
    if kind == "when":
        _check_condition(context, (*path, "when"), event.when or "")
    elif event.every:
        context.add((*path, "every"), "must be given for a condition only")
    if context.has_span:
        _check_dates(context, path, event, fork)
    for posture, state in event.enter.items():
        if posture in context.scenario.postures:
            known = context.states_of(posture)
            context.expect((*path, "enter", posture), "state", state, known)
    for name, amount in event.parameter.items():
        if name in context.scenario.parameters:
            _check_parameter(context, (*path, "parameter", name), amount)
    _check_removed(context, (*path, "remove"), event.remove)
    _check_moves(context, path, event, fork)
    _check_state(context, path, event)


def _check_parameter(context: Context, path: Path, amount: Amount) -> None:
    """Note a value that is none, or that leaves something else without one."""
    name, keys = str(path[-1]), [key for key, _ in RELATIVE]
    if context.scenario.parameters[name].value_names(name) != (name,):
        context.add(path, "must be one number (got shares that sum to 1)")
        return
    if isinstance(amount, dict) and not amount.keys() <= set(keys):
        got = ", ".join(amount)
        context.add(path, f"must be a quantity, or {' and '.join(keys)} (got {shown(got)})")
        return
    if context.means:
        rule = _broken_by(context, name, amount)
        if rule:
            context.add(path, rule)


def _broken_by(context: Context, name: str, amount: Amount) -> str:
    """What is no number any more when a parameter has changed, the others at their means."""
    values, parameters = dict(context.means), context.scenario.parameters
    said: dict[str, Quantity] = amount if isinstance(amount, dict) else {"add": amount, "times": 0}
    try:
        times, add = (compile_quantity(said.get(key, usual))(values) for key, usual in RELATIVE)
        before, values[name] = values[name], values[name] * times + add
        high = context.highs[name] * times + add
        if is_share(parameters[name].unit) and 0.0 <= before <= 1.0:
            beyond = [x for x in (values[name], high) if not 0.0 <= x <= 1.0]
            if beyond:
                return f"must stay between 0 and 1, as a share (got {beyond[0]:.4g})"
        for each in order(context.scenario):
            expression = parameters[each].expression
            if expression is not None and each != name:
                values[each] = compile_quantity(expression)(values)
        for path, text in context.log.expressions.items():
            if path[0] not in {"parameters", "options", "events"}:
                compile_quantity(text)(values)
    except ExpressionError:
        return ""  # noted where it is read
    except SimulationError as error:
        return f"must leave numbers at the parameters' means ({error})"
    return ""


def _check_condition(context: Context, path: Path, text: str) -> None:
    try:
        read_condition(text, context.scenario)
    except ConditionError as error:
        context.add(path, f"{error} (got {shown(text)})", error.hint)


def _check_dates(context: Context, path: Path, event: Event, fork: dt.date | None) -> None:
    start, end = context.scenario.start, context.scenario.end
    for key, date in (("on", event.on), ("announced", event.announced)):
        if date is None:
            continue
        if not start <= date <= end:
            rule = f"must be from the start to the end, {start} to {end} (got {date})"
            context.add((*path, key), rule, by=[("start",), ("end",)])
        elif fork is not None and date < fork:
            rule = f"must not be before the option is known (got {date} < {fork})"
            context.add((*path, key), rule)
    if event.on and event.announced and event.announced > event.on:
        rule = f"must not be after it happens (got {event.announced} > {event.on})"
        context.add((*path, "announced"), rule, by=[(*path, "on")])
    elif event.on and event.announced and not (event.move or event.cancel):
        rule = "must be given for moves and conditions only (nothing else is known before)"
        context.add((*path, "announced"), rule)


def _check_moves(context: Context, path: Path, event: Event, fork: dt.date | None) -> None:
    known = max(filter(None, (event.announced or event.on, fork)), default=None)
    for milestone, to in event.move.items():
        here = (*path, "move", milestone)
        if not _DATE.fullmatch(to):
            agreed = context.scenario.timeline.get(milestone)
            if is_shift(context, here, to) and agreed is not None and agreed.date is None:
                context.add(here, "cannot move a milestone without a date", "give it one")
            continue
        try:
            goal = moved(None, to)
        except ValueError:
            context.add(here, f"must be a date that exists (got {shown(to)})")
            continue
        if goal and known and goal < known:
            context.add(here, f"must not move to before it is known (got {goal} < {known})")
    if event.forced and not (event.move or event.cancel):
        context.add((*path, "forced"), "must be given for a move only")


def _check_state(context: Context, path: Path, event: Event) -> None:
    if event.place and not any(getattr(event, key) for key in _OF_STATE):
        context.add((*path, "in"), "must be given for a change of state only")
        return
    for key in _OF_STATE:
        for variable, amount in getattr(event, key).items():
            if variable in context.scenario.state:
                _check_amount(context, (*path, key, variable), event, amount)


def _check_amount(context: Context, path: Path, event: Event, amount: Amount) -> None:
    """Note an amount at places that a variable does not have, or that may mean two things."""
    key, variable = str(path[-2]), str(path[-1])
    places = _places(context, variable, event)
    is_known = all(p in context.vocabularies["place or country"] for p in several(event.place))
    if event.place and is_known and not places:
        is_national = context.is_national(variable)
        rule = "stands nowhere there" if not is_national else "is one number for all places"
        context.add(path, f"{variable} {rule} (got in: {', '.join(several(event.place))})")
    numbers = amount if isinstance(amount, dict) else {"": amount}
    is_bare = len(places) > 1 and not isinstance(amount, dict) and key != "times"
    if is_bare and context.value(numbers[""]) != 0.0:
        hint = "{total: N}: in proportion to what is there; {each: N}: at each"
        context.add(path, f"must say total or each, at {len(places)} places", hint)
    if len(numbers) != 1 or not numbers.keys() <= {"", EACH, TOTAL}:
        for name in numbers:
            context.expect((*path, name), "place", name, places)
    if key == "set" and is_share(context.scenario.state[variable].unit) and TOTAL not in numbers:
        for name, quantity in numbers.items():
            context.check_within((*path, name) if name else path, quantity, SHARE)
    elif key != "add" and not context.scenario.state[variable].signed:
        for name, quantity in numbers.items():
            context.check_within((*path, name) if name else path, quantity, STOCK)


def _places(context: Context, variable: str, event: Event) -> list[str]:
    """The places at which an event changes a variable, sorted; none for one over none."""
    wanted, regions = set(several(event.place)), context.scenario.regions_of
    known = sorted(context.places_of.get(variable, ()))
    return [place for place in known if not wanted or not wanted.isdisjoint(regions(place))]


@dataclass(frozen=True, slots=True)
class _Effect:
    """What an event does to one thing, and the keys it is written under."""

    target: tuple[str, ...]
    keys: tuple[str, ...]
    value: object

    def contradicts(self, other: _Effect) -> bool:
        """Whether both cannot hold at one instant, or would depend on which comes first."""
        if self.keys[0] != other.keys[0]:
            return True
        return self.value != other.value and self.keys[0] not in {"times", "add"}


def _effects(context: Context, event: Event) -> Iterator[_Effect]:
    for key in _OF_STATE:
        for name, amount in getattr(event, key).items():
            for place in _places(context, name, event) or [""]:
                yield _Effect(("state", name, place), (key, name), amount)
    for key, kind in (("enter", "posture"), ("parameter", "parameter"), ("move", "milestone")):
        for name, value in getattr(event, key).items():
            yield _Effect((kind, name), (key, name), value)
    for key in ("cancel", "complete", "remove", "admit"):
        kind = "agent" if key in {"remove", "admit"} else "milestone"
        for name in several(getattr(event, key)):
            yield _Effect((kind, name), (key,), key)


def _check_together(context: Context, events: dict[str, tuple[Path, Event]]) -> None:
    """Note events of one date that do different things to the same, and who cannot come back."""
    removed = {name for _, event in events.values() for name in several(event.remove)}
    for path, event in events.values():
        for name in several(event.admit):
            if name in context.scenario.agents and name not in removed:
                context.add((*path, "admit"), f"must be removed before it comes back (got {name})")
    absences.check(context, events)
    seen: dict[tuple[dt.date, tuple[str, ...]], tuple[str, _Effect]] = {}
    for name, (path, event) in events.items():
        if event.on is None or context.is_moot(path):
            continue
        for effect in _effects(context, event):
            other, before = seen.setdefault((event.on, effect.target), (name, effect))
            if effect.contradicts(before):
                rule = f"contradicts {before.keys[0]} of event {other} on the same date"
                context.add((*path, *effect.keys), f"{rule} (got {event.on})")
                break

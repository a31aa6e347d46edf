"""Variants of a scenario, and what differs between two, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from simlib.errors import Problem, ScenarioError
from simlib.scenario.canonical import explicit, flow
from simlib.scenario.requests import LAST_SEED, whole
from simlib.scenario.schema import Event, Scenario, several
from simlib.scenario.wording import near_or_all, shown

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from simlib.scenario.schema import Option

MOST_SHOWN = 20
_ABSENT = object()
_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs; its value on each side, empty where it is absent."""

    keys: tuple[str, ...]
    """Where it stands in the explicit form, from the top."""
    before: str
    after: str

    @property
    def path(self) -> str:
        """Where it stands, as text."""
        return ".".join(self.keys)

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.before)} there, {_shown(self.after)} here"


def differences(before: Scenario, after: Scenario) -> list[Difference]:
    """Every field that differs between two scenarios, in the order of fields.

    Comments, the order of keys, short forms and what is inherited are no difference: the
    fully explicit forms are compared.
    """
    return list(_compared(explicit(before), explicit(after), ()))


def lines(found: list[Difference]) -> list[str]:
    """Differences as lines, at most `MOST_SHOWN` and how many more there are."""
    shown = [str(each) for each in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        shown.append(f"and {len(found) - MOST_SHOWN} more")
    return shown


def _compared(before: Any, after: Any, keys: tuple[str, ...]) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = before.get(key, _ABSENT), after.get(key, _ABSENT)
            yield from _compared(*inner, (*keys, str(key)))
    elif before != after:
        yield Difference(keys, _text(before), _text(after))


def _text(value: Any) -> str:
    return "" if value is _ABSENT else flow(value)


def _shown(text: str) -> str:
    if len(text) > _WIDTH:
        return f"{text[: _WIDTH - 4]} ..."
    return text or "nothing"


def option_scenario(scenario: Scenario, option_name: str) -> Scenario:
    """A scenario with the parameters and events that an option, or what it goes on from, has.

    What an option does to milestones stays in the option: the world announces it. An option that
    the scenario does not have is a `ScenarioError`.
    """
    if option_name not in scenario.options:
        rule = f"undefined option (got {shown(option_name)})"
        raise ScenarioError([Problem("options", rule, near_or_all(option_name, scenario.options))])
    parameters, events = dict(scenario.parameters), dict(scenario.events)
    for option in option_lineage(scenario, option_name):
        parameters |= option.parameters
        events |= dict(removals(option.remove, option.at or scenario.start))
        events |= {name: _known_from(event, option) for name, event in option.events.items()}
    return scenario.model_copy(update={"parameters": parameters, "events": events})


def with_removals(scenario: Scenario) -> Scenario:
    """A scenario in which the actors that are not there leave by an event at the start."""
    events = dict(removals(scenario.remove, scenario.start)) | scenario.events
    return scenario.model_copy(update={"events": events})


def removals(agents: str | tuple[str, ...], on: dt.date) -> list[tuple[str, Event]]:
    """The events by which agents leave on a date, and the names of these events."""
    return [(f"remove {name}", Event(on=on, remove=name)) for name in several(agents)]


def _known_from(event: Event, option: Option) -> Event:
    """An event of an option, of which nothing is known before the option's fork."""
    if option.at is None or (event.announced is None and event.on is not None):
        return event
    known = max(event.announced or option.at, option.at)
    return event.model_copy(update={"announced": known})


def option_lineage(scenario: Scenario, option_name: str) -> list[Option]:
    """An option after those it goes on from, first to last."""
    lineage = [scenario.options[option_name]]
    while lineage[0].of:
        lineage.insert(0, scenario.options[lineage[0].of])
    return lineage


def with_root_seed(scenario: Scenario, root_seed: int | None) -> Scenario:
    """A scenario with another root seed, if one is given.

    Raises `ScenarioError` where it is no whole number from 0 on.
    """
    if root_seed is None:
        return scenario
    return scenario.model_copy(update={"root_seed": whole("root_seed", root_seed, 0, LAST_SEED)})


def with_design(scenario: Scenario, design: str) -> Scenario:
    """A scenario whose parameters are drawn by another design.

    Raises `ScenarioError` where there is no such design.
    """
    known = get_args(Scenario.model_fields["design"].annotation)
    if design not in known:
        rule = f"must be one of {', '.join(known)} (got {shown(design)})"
        raise ScenarioError([Problem("design", rule)])
    return scenario.model_copy(update={"design": design})

"""A scenario as one page of HTML, for a notebook: what is asked, compared and counted."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simlib.scenario.schema import Scenario

MOST_SHOWN = 30
"""Names of a list that are shown; how many more there are is said."""


def html_of(scenario: Scenario) -> str:
    """The page; whatever the scenario says is escaped."""
    return "".join(_parts(scenario))


def _parts(scenario: Scenario) -> Iterator[str]:
    yield f"<h3>{escape(scenario.name)}</h3><p>{escape(scenario.context_of_use)}</p>"
    if scenario.question is not None:
        yield f"<p><b>{escape(scenario.question.asks)}</b></p>"
    yield f"<p>{scenario.start} to {scenario.end}, {scenario.replications:,} replications, "
    yield f"root seed {scenario.root_seed}</p>"
    options = {name: option.description for name, option in scenario.options.items()}
    yield from _list("Options", options)
    agents = {name: entry.description for name, entry in scenario.agents.items()}
    yield from _list("Who decides", agents)
    incidents = {name: type_.description for name, type_ in scenario.incidents.items()}
    yield from _list("What recurs", incidents)
    dates = {name: str(step.date or "no date") for name, step in scenario.timeline.items()}
    yield from _list("Milestones", dates)
    yield from _outcomes(scenario)
    drawn = sum(parameter.distribution is not None for parameter in scenario.parameters.values())
    yield f"<p>{len(scenario.places):,} places, {len(scenario.state):,} state variables, "
    yield f"{len(scenario.parameters):,} parameters, of which {drawn:,} are drawn in each "
    yield "replication. <code>simlib.resolve(scenario)</code> writes all of it out.</p>"


def _outcomes(scenario: Scenario) -> Iterator[str]:
    """The labels of outcomes under their topics."""
    topics: dict[str, list[str]] = {}
    for name, outcome in scenario.outcomes.items():
        topics.setdefault(outcome.topic or "Outcomes", []).append(outcome.label or name)
    yield from _list("What is counted", {topic: _listed(names) for topic, names in topics.items()})


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - MOST_SHOWN} more" if len(every) > MOST_SHOWN else ""
    return "; ".join(every[:MOST_SHOWN]) + more


def _list(title: str, items: Mapping[str, str]) -> Iterator[str]:
    """A titled list of names with what they are; nothing where there is none."""
    if not items:
        return
    yield f"<h4>{escape(title)}</h4><ul>"
    for name, text in list(items.items())[:MOST_SHOWN]:
        yield f"<li><b>{escape(name)}</b>{f': {escape(text)}' if text else ''}</li>"
    if len(items) > MOST_SHOWN:
        yield f"<li>and {len(items) - MOST_SHOWN} more</li>"
    yield "</ul>"

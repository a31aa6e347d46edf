"""What a file gives and nothing reads: a misspelt override would silently move nothing.

Only what stands in the file itself (and in what it includes) is judged: that a change makes
something idle which its parent has is no mistake.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simlib.scenario.expressions import ExpressionError, names
from simlib.scenario.nodes import Mapping, node_at, problem_at
from simlib.scenario.readers import words_of
from simlib.scenario.schema import several
from simlib.scenario.wording import near

if TYPE_CHECKING:
    from collections.abc import Collection

    from simlib.scenario.context import Context
    from simlib.scenario.nodes import Path
    from simlib.scenario.schema import Outcome, Scenario

RULE = "is read by no expression, incident, agent or outcome"
_WRITTEN = {"change", "move", "writes", "on_removal"}
"""Keys whose names are changed, not read."""
_OWN_AGENT = "an agent of your own says so in its entry, under {}"


class Readers:
    """All that is read in a scenario: by its expressions, agents, incidents and outcomes."""

    def __init__(self, context: Context) -> None:
        scenario = context.scenario
        self._context, entries = context, scenario.agents
        words = {name: words_of(name) for name in entries}
        self._words = [found for found in words.values() if found is not None]
        self._others = [
            entry for name, entry in entries.items() if words[name] is None and entry.active
        ]
        """Agents whose source is not looked at."""
        options = (option.events for option in scenario.options.values())
        self._conditions = {
            word
            for events in (scenario.events, *options)
            for event in events.values()
            for word in re.findall(r"[\w.]+", event.when or "")
        }
        self._referred = {
            (reference.among or reference.what, name)
            for path, (reference, name) in context.log.references.items()
            if not _is_change(path)
        }

    def parameters(self, *, later: bool = False) -> set[str] | None:
        """The parameters that are read; None where an agent does not say what it reads.

        `later` leaves out what is settled once the start is past.
        """
        if not all(entry.parameters for entry in self._others):
            return None
        context, givers = (
            self._context,
            {
                **{name: name for name in self._context.scenario.parameters},
                **self._context.value_names,
            },
        )
        waiting = {
            name
            for path, text in context.log.expressions.items()
            if not (later and _is_settled(path))
            for name in _mentioned(text)
        }
        waiting |= {name for name in givers if self._has(name)}
        waiting |= {name for entry in context.scenario.agents.values() for name in entry.parameters}
        follows = self._follows()
        read: set[str] = set()
        while waiting:
            parameter = givers.get(waiting.pop())
            if parameter is not None and parameter not in read:
                read.add(parameter)
                waiting |= follows.get(parameter, set())
        return read

    def _follows(self) -> dict[str, set[str]]:
        """What the expression of each parameter mentions, under any option."""
        scenario = self._context.scenario
        follows: dict[str, set[str]] = {}
        replaced = [option.parameters for option in scenario.options.values()]
        for parameters in (scenario.parameters, *replaced):
            for name, parameter in parameters.items():
                follows.setdefault(name, set()).update(_mentioned(parameter.expression or ""))
        return follows

    def state(self) -> set[str] | None:
        """The state variables that are read, as `parameters`."""
        return self._named("state", {"state variable", "state"})

    def postures(self) -> set[str] | None:
        """The postures that are read or lived, as `parameters`."""
        return self._named("postures", {"posture", "postures and months", "state variable"})

    def milestones(self) -> set[str] | None:
        """The milestones that are read, as `parameters`."""
        return self._named("timeline", {"milestone"})

    def decisions(self) -> set[str] | None:
        """The decisions that an agent takes, as `parameters`."""
        if not all(entry.decisions for entry in self._others):
            return None
        declared = {n for e in self._context.scenario.agents.values() for n in e.decisions}
        return declared | {name for name in self._context.scenario.decisions if self._has(name)}

    def _named(self, section: str, kinds: set[str]) -> set[str] | None:
        if self._others:
            return None
        given = getattr(self._context.scenario, section)
        referred = {name for kind, name in self._referred if kind in kinds}
        return {name for name in given if name in referred or self._has(name)}

    def _has(self, name: str) -> bool:
        return name in self._conditions or any(words.hold(name) for words in self._words)


def _mentioned(text: str) -> set[str]:
    """The names an expression mentions; none where there is no expression."""
    try:
        return names(text) if text else set()
    except ExpressionError:
        return set()  # noted where it is read


def _is_settled(path: Path) -> bool:
    """Whether a quantity at a path is asked for at the start only, or by another parameter."""
    if path[0] in {"parameters", "options", "events", "series"}:
        return True
    return not {"start", "age_months", "trend", "tempo"}.isdisjoint(path[2:])


def _is_change(path: Path) -> bool:
    """Whether a name at a path is that of something that is changed there."""
    is_event = "events" in (*path[:1], *path[2:3])
    is_option = path[0] == "options" and len(path) > 2
    return is_event or is_option or not _WRITTEN.isdisjoint(map(str, path))


def check(context: Context, own: Collection[str]) -> None:
    """Note what some files, by their names, give and nothing reads.

    Nothing is said of a scenario without any agent: those who read it are handed over.
    """
    if not context.scenario.agents:
        return
    readers = Readers(context)
    read = readers.parameters()
    _check(context, own, ("parameters",), read, _OWN_AGENT.format("parameters"))
    for option in context.scenario.options:
        _check(context, own, ("options", option, "parameters"), read)
    _check(context, own, ("state",), readers.state())
    _check(context, own, ("postures",), readers.postures())
    _check(context, own, ("timeline",), readers.milestones())
    _check(context, own, ("decisions",), readers.decisions(), _OWN_AGENT.format("decisions"))
    _check_counts(context, own)
    later = readers.parameters(later=True)
    for within in (
        ("events",),
        *(("options", name, "events") for name in context.scenario.options),
    ):
        _check_events(context, own, within, later)


def _check_events(
    context: Context, own: Collection[str], within: Path, later: Collection[str] | None
) -> None:
    """Note parameters that an event changes when nothing asks for them any more."""
    events = node_at(context.log.tree, within)
    if later is None or not isinstance(events, Mapping):
        return
    for event in events.items:
        path = (*within, event, "parameter")
        changed = node_at(context.log.tree, path)
        if not isinstance(changed, Mapping):
            continue
        for name in changed.items.keys() & context.scenario.parameters.keys():
            if name not in later and changed.keys[name].file in own:
                rule = "moves nothing once the start is past (nothing asks for it later)"
                problem = problem_at(changed.keys[name], (*path, name), rule)
                context.log.problems.append(problem)


def _check(
    context: Context,
    own: Collection[str],
    within: Path,
    read: Collection[str] | None,
    hint: str = "",
) -> None:
    section = node_at(context.log.tree, within)
    if read is None or not isinstance(section, Mapping):
        return
    for name in section.items:
        if name not in read and section.keys[name].file in own:
            guess = near(name, read) or hint
            problem = problem_at(section.keys[name], (*within, name), RULE, guess)
            context.log.problems.append(problem)


def _check_counts(context: Context, own: Collection[str]) -> None:
    """Note outcomes that count what cannot happen: they are 0 whatever is changed."""
    outcomes = node_at(context.log.tree, ("outcomes",))
    for name, outcome in context.scenario.outcomes.items():
        if isinstance(outcomes, Mapping) and outcomes.keys[name].file in own:
            rule = _counts_nothing(context.scenario, outcome)
            if rule:
                path = ("outcomes", name)
                context.log.problems.append(problem_at(outcomes.keys[name], path, rule))


def _counts_nothing(scenario: Scenario, outcome: Outcome) -> str:
    """Why an outcome of incidents is always 0, if it is."""
    types = several(outcome.count or (outcome.of if outcome.total else None))
    if not types:
        return ""
    wanted = several(outcome.place)
    groups = [
        group
        for type_ in types
        for group in scenario.incidents[type_].groups.values()
        if outcome.target in {None, group.target}
        and any(not wanted or scenario.regions_of(p).intersection(wanted) for p in group.level)
    ]
    if not groups:
        return f"counts nothing: there is no {' or '.join(types)} of that kind there"
    marks = [*outcome.having, *several(outcome.total)]
    idle = [mark for mark in marks if not any(mark in group.marks for group in groups)]
    return f"counts nothing: no such incident has the mark {idle[0]}" if idle else ""

"""Events that change what its owner sets anew: what they do is gone at its next review.

An index such as cover or tempo is computed by the agent that owns it, from what it sees. Only
the source of simlib's own agents is looked at. A value counts as set anew where it rests neither
on what the variable was nor on a constant alone (which marks something that is done once).
"""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from simlib.scenario.nodes import find, problem_at
from simlib.scenario.readers import classes_of, text_pattern
from simlib.scenario.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simlib.errors import Problem
    from simlib.scenario.nodes import Node, Path
    from simlib.scenario.schema import Event, Scenario

_CHANGES, _SIGHTS = {"change", "change_all"}, {"see", "see_all"}
_MOST_NAMED = 4


class Setting(NamedTuple):
    """A variable (a pattern) that a method sets, and the texts that its value rests on."""

    variable: str
    is_anew: bool
    texts: frozenset[str]


def warnings_of(scenario: Scenario, tree: Node) -> list[Problem]:
    """What a reader of each such change is told, where the file itself makes it."""
    found = []
    for within, event in _events(scenario):
        for path, variable in _changed(event):
            mark = find(tree, (*within, *path))[0]
            owner, texts = owner_of(scenario, variable)
            if owner and mark.file == tree.mark.file:
                rule = f"lasts only until {owner} sets {variable} anew, whatever it was"
                hint = _instead(scenario, owner, texts)
                found.append(problem_at(mark, (*within, *path), rule, hint))
    return found


def _events(scenario: Scenario) -> Iterator[tuple[Path, Event]]:
    yield from ((("events", name), event) for name, event in scenario.events.items())
    for option, entry in scenario.options.items():
        for name, event in entry.events.items():
            yield ("options", option, "events", name), event


def _changed(event: Event) -> Iterator[tuple[tuple[str, str], str]]:
    for key in ("set", "times", "add"):
        yield from (((key, variable), variable) for variable in getattr(event, key))


def _instead(scenario: Scenario, owner: str, texts: frozenset[str]) -> str:
    """What its owner sets it by, where that is told in a few names."""
    kinds: dict[str, Mapping[str, object]] = {
        "parameter": scenario.parameters,
        "decision": scenario.decisions,
        "state": scenario.state,
        "milestone": scenario.timeline,
    }
    named = [
        f"{kind} {listed(found)}"
        for kind, given in kinds.items()
        if 0 < len(found := texts & given.keys()) <= _MOST_NAMED
    ]
    if not named:
        return f"change what it follows instead: simlib levers {owner} lists what moves it"
    return f"change what it follows instead: {'; '.join(named)}"


def owner_of(scenario: Scenario, variable: str) -> tuple[str, frozenset[str]]:
    """Who sets a variable anew, and the texts that its value rests on; empty where nobody does."""
    for agent, entry in scenario.agents.items():
        settings = _settings(agent) if entry.active else ()
        exact = [s for s in settings if s.variable == re.escape(variable)]
        given = exact or [s for s in settings if re.fullmatch(s.variable, variable)]
        if given and all(setting.is_anew for setting in given):
            texts = frozenset[str]().union(*(setting.texts for setting in given))
            return agent, texts - {variable}
    return "", frozenset()


@functools.cache
def _settings(agent: str) -> tuple[Setting, ...]:
    found = []
    for each in classes_of(agent):
        methods = {m.name: m for m in each.body if isinstance(m, ast.FunctionDef)}
        for method in methods.values():
            for call in _calls(method, _CHANGES):
                variable, value = text_pattern(call.args[0]), _value(call)
                if variable is not None and value is not None:
                    found.append(_setting(variable, value, method, methods))
    return tuple(found)


def _calls(node: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        if isinstance(call.func, ast.Attribute) and call.func.attr in names:
            yield call


def _value(call: ast.Call) -> ast.expr | None:
    """What a variable is set to; None where it is a constant, or changed by an amount."""
    assert isinstance(call.func, ast.Attribute)  # noqa: S101
    to = next((k.value for k in call.keywords if k.arg in {"to", "values"}), None)
    if to is None and call.func.attr == "change_all":
        to = call.args[1]
    is_constant = to is None or isinstance(to, ast.Constant)
    return None if is_constant else to


def _setting(
    variable: str, value: ast.expr, method: ast.FunctionDef, methods: dict[str, ast.FunctionDef]
) -> Setting:
    """Judge one setting by all that its value rests on in its class."""
    texts: set[str] = set()
    seen: set[str | None] = set()
    for node, within in _rests_on(value, method, methods):
        texts |= _texts(node)
        for call in _calls(node, _SIGHTS):
            seen |= _seen(call.args[0], within)
    # What is written by its own name is no part of a group that is seen by a common one.
    is_same = None in seen or variable in seen
    return Setting(variable, not is_same, frozenset(texts))


def _seen(name: ast.expr, within: ast.FunctionDef) -> set[str | None]:
    """The patterns of what is seen under a name; None among them where that is not known."""
    if isinstance(name, ast.Name):
        given = [text for node in _assigned(name.id, within) for text in _texts(node)]
        return {re.escape(text) for text in given} or {None}
    if isinstance(name, ast.Tuple):  # several variables at once
        return {re.escape(text) for text in _texts(name)} or {None}
    return {text_pattern(name)}


def _texts(node: ast.AST) -> set[str]:
    constants = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def _rests_on(
    value: ast.expr, method: ast.FunctionDef, methods: dict[str, ast.FunctionDef]
) -> list[tuple[ast.AST, ast.FunctionDef]]:
    """A value, what is assigned to the names in it, and the methods it calls; each with where."""
    waiting: list[tuple[ast.AST, ast.FunctionDef]] = [(value, method)]
    found: list[tuple[ast.AST, ast.FunctionDef]] = []
    while waiting:
        node, within = waiting.pop()
        if (node, within) in found:
            continue
        found.append((node, within))
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                waiting += [(given, within) for given in _assigned(inner.id, within)]
            elif isinstance(inner, ast.Attribute) and inner.attr in methods:
                waiting.append((methods[inner.attr], methods[inner.attr]))
    return found


def _assigned(name: str, method: ast.FunctionDef) -> Iterator[ast.AST]:
    """What a name stands for in a method: also what is gone through, or unpacked."""
    for node in ast.walk(method):
        if isinstance(node, ast.Assign):
            targets, given = node.targets, node.value
        elif isinstance(node, (ast.AugAssign, ast.For, ast.comprehension)):
            targets = [node.target]
            given = node.value if isinstance(node, ast.AugAssign) else node.iter
        else:
            continue
        named = (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
        if name in named:
            yield given

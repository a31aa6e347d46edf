"""From a name, a file, text or a mapping to a scenario, or to every problem it has."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.errors import Problem, ScenarioError
from simlib.scenario import bundled, moved_windows, set_anew, unread
from simlib.scenario.canonical import explicit
from simlib.scenario.checking import check_scenario
from simlib.scenario.context import Context
from simlib.scenario.fitting import ProblemLog, fitted
from simlib.scenario.nodes import Mapping as MappingNode
from simlib.scenario.nodes import from_python
from simlib.scenario.place_rules import check_installed
from simlib.scenario.resolving import Chain, resolved, unknown_scenario
from simlib.scenario.schema import Scenario
from simlib.scenario.short_forms import with_neighbors, written_by_place
from simlib.scenario.yaml_text import Budget, read_file, read_text

if TYPE_CHECKING:
    from simlib.scenario.nodes import Node


def load(
    name_or_path: str | os.PathLike[str],
    *,
    agents: Collection[str] | None = None,
    is_closed: bool = False,
) -> Scenario:
    """The scenario of a file, or a bundled one by its bare name.

    Parameters
    ----------
    name_or_path
        A path; a bare name is that of a bundled scenario, where no such file is there.
    agents
        Names of the agents that are installed, where it must name no others. Not given:
        classes may be handed over when it is simulated.
    is_closed
        Whether the agents that are installed are all there will be, so that what none of them
        reads, nor anything in the scenario, is a mistake.

    Raises
    ------
    ScenarioError
        With every problem that was found.
    """
    return _built(*_opened(name_or_path), agents, is_closed=is_closed)[0]


def _opened(name_or_path: str | os.PathLike[str]) -> tuple[MappingNode, Chain]:
    """The tree of a file, and what may be read with it."""
    path = _path(name_or_path)
    budget = Budget()
    root = read_file(path, str(path), budget)
    # Only what can be read can be resolved: a link may point to itself.
    return root, Chain(path.parent, budget, [path.resolve()])


def as_scenario(
    source: Scenario | str | os.PathLike[str],
    *,
    agents: Collection[str] | None = None,
    is_closed: bool = False,
) -> Scenario:
    """A scenario as it is given, or `load` it by its path or bundled name."""
    if isinstance(source, Scenario):
        return source
    return load(source, agents=agents, is_closed=is_closed)


def load_text(
    text: str, *, file: str = "<text>", base: str | os.PathLike[str] | None = None
) -> Scenario:
    """The scenario that a text describes.

    Parameters
    ----------
    text
        YAML.
    file
        What messages call the text.
    base
        Folder in which what it extends is looked for, beside the bundled scenarios.

    Raises
    ------
    ScenarioError
        With every problem that was found.
    """
    chain = Chain(None if base is None else Path(base))
    return _built(read_text(text, file, chain.budget), chain)[0]


def from_dict(mapping: Mapping[str, Any]) -> Scenario:
    """The scenario that a mapping describes, keys as in a file.

    Raises
    ------
    ScenarioError
        With every problem that was found; lines are 0.
    """
    tree = from_python(mapping)
    if not isinstance(tree, MappingNode):
        raise ScenarioError([Problem("", "must be a mapping")])
    return _built(tree, Chain(None))[0]


def with_changes(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """A scenario with changes: what a file that extends it would mean, keys as there.

    Raises
    ------
    ScenarioError
        With every problem that was found; lines are 0.
    """
    parent, child = from_python(explicit(scenario)), from_python(changes)
    assert isinstance(parent, MappingNode)  # noqa: S101
    assert isinstance(child, MappingNode)  # noqa: S101
    changed = _built(child, Chain(None, parent=parent))[0]
    return changed.model_copy(update={"borders": changed.borders or scenario.borders})


def check(path: str | os.PathLike[str]) -> list[Problem]:
    """Every problem of a scenario file, in the order of the file.

    What nothing reads is one, where every agent is installed or says what it reads.
    """
    return examined(path)[0]


def examined(path: str | os.PathLike[str]) -> tuple[list[Problem], list[Problem]]:
    """Every problem of a scenario file as `check` has it, and what it had better not say."""
    try:
        scenario, tree = _built(*_opened(path), is_closed=True)
    except ScenarioError as error:
        return list(error.problems), []
    return [], [*moved_windows.warnings_of(scenario, tree), *set_anew.warnings_of(scenario, tree)]


def _path(name_or_path: str | os.PathLike[str]) -> Path:
    name = os.fspath(name_or_path)
    path = Path(name)
    is_bare = isinstance(name_or_path, str) and path.name == name and not path.suffix
    if not is_bare or (os.path.lexists(path) and path.is_file()):
        return path
    if name in bundled.scenario_files():
        return bundled.scenario_files()[name]
    raise unknown_scenario(name)


def _built(
    root: MappingNode,
    chain: Chain,
    installed: Collection[str] | None = None,
    *,
    is_closed: bool = False,
) -> tuple[Scenario, MappingNode]:
    """The scenario that a tree means, and the tree with all that it extends."""
    log = ProblemLog()
    tree = with_neighbors(written_by_place(resolved(root, chain), log), log)
    scenario, log = fitted(Scenario, tree, log)
    check_scenario(scenario, log)
    if installed is not None:
        check_installed(Context(scenario, log), installed)
    if is_closed and not log.problems:
        unread.check(Context(scenario, log), {root.mark.file, *chain.parts})
    if log.problems:
        raise ScenarioError(_in_order(log.problems, tree))
    return scenario, tree


def _in_order(problems: list[Problem], tree: Node) -> list[Problem]:
    """Each problem once, those of the file itself first, in the order of lines."""
    files = {tree.mark.file: 0}
    for problem in problems:
        files.setdefault(problem.file, len(files))
    once = {str(problem): problem for problem in problems}
    return sorted(once.values(), key=lambda p: (files[p.file], p.line, p.column))

"""What differs between two scenarios, in groups, and scenarios that have some of it.

A change is the smallest thing that means something alone: a parameter with its whole
distribution, a group of an incident type, a posture. Words (descriptions, sources,
judgements) and what only says how a scenario is run change no number; they are listed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simlib.errors import Problem, ScenarioError
from simlib.scenario import differences, from_dict
from simlib.scenario.canonical import explicit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simlib.scenario import Difference
    from simlib.scenario.schema import Scenario

    Keys = tuple[str, ...]

MOST_GROUPS = 8
OTHER = "all else"
_WORDS = frozenset({"description", "note", "source", "judgement", "register", "unit", "used_by"})
_RUNNING = frozenset(
    {"simlib", "name", "context_of_use", "as_of", "replications", "root_seed", "design", "outcomes"}
)
_NAMED = frozenset(
    {"places", "state", "parameters", "postures", "decisions", "agents"}
    | {"timeline", "options", "series"}
)


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Changes that are taken together."""

    name: str
    changes: tuple[tuple[str, ...], ...]
    """Where each stands in the explicit form."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What differs between two scenarios.

    Attributes
    ----------
    listed
        Differences that change no number, as lines.
    found
        Differences that may, field by field.
    groups
        These, in at most `MOST_GROUPS` groups.
    outcomes
        Outcomes that both scenarios declare alike.
    """

    listed: tuple[str, ...]
    found: tuple[Difference, ...]
    groups: tuple[ChangeGroup, ...]
    outcomes: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def hybrid(self, chosen: Iterable[str]) -> Scenario:
        """Return the first scenario with some groups as in the second.

        Its outcomes are those that both declare alike.

        Raises
        ------
        ScenarioError
            The two do not go together.
        """
        names = set(chosen)
        tree = _copied(self.before)
        for group in self.groups:
            if group.name in names:
                for keys in group.changes:
                    _take(tree, self.after, keys)
        tree["outcomes"] = {name: self.before["outcomes"][name] for name in self.outcomes}
        return from_dict(tree)


def changes_between(
    before: Scenario, after: Scenario, given: Mapping[str, Sequence[str]] | None = None
) -> Changes:
    """Compare two scenarios and group the changes.

    Parameters
    ----------
    before, after
        Two scenarios.
    given
        Groups by name: the beginnings of the paths of their changes, such as
        ``parameters.withdrawal``. What they leave out is grouped by where it stands; where
        none is given, up to `MOST_GROUPS` changes are groups of their own.

    Raises
    ------
    ScenarioError
        A given group has no change, or there are more than `MOST_GROUPS`; or parts hang
        together so that only all of them at once are a scenario.
    """
    found = differences(before, after)
    counted = [each for each in found if not _is_listed(each.keys)]
    changes = list(dict.fromkeys(_unit(each.keys) for each in counted))
    first, second = explicit(before), explicit(after)
    alike = [n for n, o in before.outcomes.items() if after.outcomes.get(n) == o]
    whole = Changes(
        listed=tuple(str(each) for each in found if _is_listed(each.keys)),
        found=tuple(counted),
        groups=tuple(_grouped(changes, given or {})),
        outcomes=tuple(alike),
        before=first,
        after=second,
    )
    return _sound(whole)


def _is_listed(keys: Keys) -> bool:
    return keys[0] in _RUNNING or keys[-1] in _WORDS


def _unit(keys: Keys) -> Keys:
    """Return the place of the smallest thing a field belongs to."""
    if keys[0] == "incidents":
        return keys[: 4 if keys[2:3] == ("groups",) else 3]
    return keys[: 2 if keys[0] in _NAMED else 1]


def _usual(keys: Keys) -> str:
    """Return the group a change belongs to by where it stands."""
    # A section that only one of the two has differs as a whole.
    if keys[0] == "parameters":
        return " ".join(key.split(".")[0] for key in keys[:2])
    return " ".join(keys[: 2 if keys[0] in {"incidents", "postures"} else 1])


def _grouped(changes: Sequence[Keys], given: Mapping[str, Sequence[str]]) -> list[ChangeGroup]:
    gathered: dict[str, list[Keys]] = {name: [] for name in given}
    are_few = len(changes) <= MOST_GROUPS and not given
    for keys in changes:
        path = ".".join(keys)
        named = (n for n, starts in given.items() if any(_begins(path, s) for s in starts))
        usual = path if are_few else _usual(keys)
        gathered.setdefault(next(named, usual), []).append(keys)
    empty = [name for name, members in gathered.items() if not members]
    if empty:
        rule = f"no change in it (got {', '.join(given[empty[0]])})"
        raise ScenarioError([Problem(f"group {empty[0]}", rule, "paths as simlib diff lists them")])
    if len(given) > MOST_GROUPS - 1 and len(gathered) > MOST_GROUPS:
        raise ScenarioError([Problem("group", f"at most {MOST_GROUPS - 1} (got {len(given)})")])
    return _few(gathered, set(given))


def _begins(path: str, start: str) -> bool:
    return path == start or path.startswith(f"{start}.")


def _few(gathered: dict[str, list[Keys]], kept: set[str]) -> list[ChangeGroup]:
    """Put the smallest groups together until there are few enough to try all sets."""
    while len(gathered) > MOST_GROUPS:
        free = [name for name in gathered if name not in kept and name != OTHER]
        least = min(free, key=lambda name: len(gathered[name]))
        gathered.setdefault(OTHER, []).extend(gathered.pop(least))
    return [ChangeGroup(name, tuple(members)) for name, members in gathered.items()]


def _sound(changes: Changes) -> Changes:
    """Merge groups that are no scenario without one another."""
    if changes.groups:
        changes.hybrid([group.name for group in changes.groups])  # says what is wrong
    while (pair := _torn(changes)) is not None:
        one, other = pair
        merged = ChangeGroup(f"{one.name} and {other.name}", (*one.changes, *other.changes))
        rest = [group for group in changes.groups if group not in pair]
        changes = replace(changes, groups=(*rest, merged))
    return changes


def _torn(changes: Changes) -> tuple[ChangeGroup, ChangeGroup] | None:
    """Return two groups of which one, alone or alone left out, is no scenario."""
    names = {group.name for group in changes.groups}
    for group in changes.groups:
        for is_in in (True, False):
            alone = {group.name} if is_in else names - {group.name}
            if _stands(changes, alone):
                continue
            others = [other for other in changes.groups if other is not group]
            fits = (
                other
                for other in others
                if _stands(changes, alone | {other.name} if is_in else alone - {other.name})
            )
            return group, next(fits, others[0])
    return None


def _stands(changes: Changes, chosen: Iterable[str]) -> bool:
    try:
        changes.hybrid(chosen)
    except ScenarioError:
        return False
    return True


def _copied(tree: Any) -> Any:
    return {key: _copied(item) for key, item in tree.items()} if isinstance(tree, dict) else tree


def _take(tree: dict[str, Any], other: Mapping[str, Any], keys: Keys) -> None:
    """Let one place be as it is in another tree, absent where it is absent there."""
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
        other = other.get(key, {})
    if keys[-1] in other:
        tree[keys[-1]] = _copied(other[keys[-1]])
    else:
        tree.pop(keys[-1], None)

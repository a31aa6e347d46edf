"""From files to one tree: parts are put together, parents followed, dotted keys written out.

A file names its parent by its name, or that of its file, in its own folder (or a bundled one),
and the files it includes there or in a folder beside it; nothing else is opened. Over a parent,
mappings are merged, scalars and lists replaced; what is included only adds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from collections.abc import Mapping as Mappable
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from simlib.errors import Problem, ScenarioError
from simlib.scenario import bundled
from simlib.scenario.fitting import kind_keys
from simlib.scenario.nodes import (
    FileMark,
    Mapping,
    Node,
    Path,
    Scalar,
    Sequence,
    describe,
    mapping,
    problem_at,
)
from simlib.scenario.relative_changes import (
    DETERMINED_BY,
    RELATIVE,
    is_relative,
    may_move,
    moved_parameter,
    moved_quantity,
    refuse_left,
)
from simlib.scenario.schema import Falling, Power, Shield, Table, Value
from simlib.scenario.wording import bare, near, shown
from simlib.scenario.yaml_text import Budget, read_file

OF_FILES = ("extends", "includes")
"""Keys that name files."""
MOST_PARENTS = 10
MOST_PARTS = 20
REPLACED = frozenset({"distribution", "law", "values", "next", "shares"})
"""Keys whose mappings replace the parent's whole: half of each would mean neither."""
FACTOR_KINDS = frozenset(kind_keys([Power, Falling, Value, Table, Shield]))
BARE_NAME = re.compile(r"[^\W_][\w.-]*\.ya?ml")
STEM = re.compile(r"[^\W_][\w-]*")
PART_NAME = re.compile(rf"(?:[^\W_][\w.-]*/)?{BARE_NAME.pattern}")
BORDERS_NAME = re.compile(r"[^\W_][\w.-]*\.geojson")


@dataclass(slots=True)
class Chain:
    """The files read so far, youngest first, and what may still be read."""

    folder: FilePath | None
    budget: Budget = field(default_factory=Budget)
    paths: list[FilePath] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    """Files that the first file includes."""
    parent: Mapping | None = None
    """A tree that is extended, where it was not read from a file."""


def resolved(root: Mapping, chain: Chain) -> Mapping:
    """A tree merged over all that it extends, with every short form written out."""
    whole = _with_options(_merged_chain(_dotted_options(root), chain))
    refuse_left(whole)
    return whole


def _merged_chain(root: Mapping, chain: Chain) -> Mapping:
    own = _with_borders_found(_with_parts(root, chain), chain)
    if chain.parent is not None:
        return _merge(chain.parent, own, ())
    if "extends" not in root.items:
        return own
    parent, above = _parent(root.items["extends"], chain)
    tree = _dotted_options(read_file(parent, str(parent), above.budget))
    return _merge(_merged_chain(tree, above), own.without("extends"), ())


def _with_parts(root: Mapping, chain: Chain) -> Mapping:
    """A file's tree with those of the files it includes."""
    listed = root.items.get("includes")
    if listed is None:
        return root
    if not isinstance(listed, Sequence) or not 1 <= len(listed.items) <= MOST_PARTS:
        rule = f"must be a list of 1 to {MOST_PARTS} files (got {describe(listed)})"
        raise _refused(listed, rule, key="includes")
    whole = root.without("includes")
    for node in listed.items:
        name = node.text if isinstance(node, Scalar) else ""
        if not PART_NAME.fullmatch(name):
            rule = "must be the name of a YAML file in the same folder or in one beside it"
            raise _refused(node, f"{rule} (got {describe(node)})", key="includes")
        path = _found(node, name, [chain.folder] if chain.folder else [], key="includes")
        if path.resolve() in chain.paths:
            raise _refused(node, f"includes itself (got {shown(name)})", key="includes")
        chain.parts.append(str(path))
        whole = _together(whole, _dotted_options(read_file(path, str(path), chain.budget)))
    return whole


def _together(whole: Mapping, part: Mapping) -> Mapping:
    """Two trees as one.

    Raises `ScenarioError` where a name stands in both, or the part itself extends or includes.
    """
    items, keys, problems = dict(whole.items), dict(whole.keys), []
    for key, node in part.items.items():
        before = items.get(key)
        if key in OF_FILES:
            rule = "must not stand in a file that is included"
            problems.append(problem_at(part.keys[key], (key,), rule))
        elif isinstance(before, Mapping) and isinstance(node, Mapping):
            twice = [(name, before.keys[name]) for name in node.items if name in before.items]
            problems.extend(_twice(node.keys[name], (key, name), at) for name, at in twice)
            items[key] = mapping(
                {**before.items, **node.items}, {**before.keys, **node.keys}, before.mark
            )
        elif before is not None:
            problems.append(_twice(part.keys[key], (key,), keys[key]))
        else:
            items[key], keys[key] = node, part.keys[key]
    if problems:
        raise ScenarioError(problems)
    return mapping(items, keys, whole.mark)


def _twice(mark: FileMark, path: Path, first: FileMark) -> Problem:
    rule = f"stands in two files that go together (got {shown(str(path[-1]))})"
    return problem_at(
        mark, path, rule, f"first in {bare(FilePath(first.file).name)}, line {first.line}"
    )


def _with_borders_found(root: Mapping, chain: Chain) -> Mapping:
    """A file's tree with the whole paths of its files of borders, if it names any."""
    rules = {
        "neighbors": "must be pairs of places, or the bare name of a .geojson file",
        "borders": "must be the bare name of a .geojson file",
    }
    for key, rule in rules.items():
        node = root.items.get(key)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            continue
        if not BORDERS_NAME.fullmatch(node.text):
            raise _refused(node, f"{rule} (got {describe(node)})", key=key)
        folders = [f for f in (chain.folder, bundled.folder("seeds")) if f is not None]
        path = str(_found(node, node.text, folders, key=key))
        root = root.replaced(key, Scalar(path, path, node.mark))
    return root


def _refused(node: Node, rule: str, hint: str = "", *, key: str = "extends") -> ScenarioError:
    return ScenarioError([problem_at(node.mark, (key,), rule, hint)])


def _parent(node: Node, chain: Chain) -> tuple[FilePath, Chain]:
    """The file that a file extends, and the chain with it.

    Raises
    ------
    ScenarioError
        It is no bare name, with or without ``.yaml``, of a regular file in the same folder (or a
        bundled one), or it was read before, or the chain is too long.
    """
    name = node.text if isinstance(node, Scalar) and isinstance(node.value, str) else ""
    if STEM.fullmatch(name):
        name += ".yaml"
    if not BARE_NAME.fullmatch(name):
        rule = f"must be the bare name of a YAML file in the same folder (got {describe(node)})"
        raise _refused(node, rule)
    folders = [f for f in (chain.folder, *bundled.scenario_folders()) if f is not None]
    path = _found(node, name, folders)
    real = path.resolve()
    if real in chain.paths:
        what = "extends itself" if real == chain.paths[-1] else "extends one another in a circle"
        raise _refused(node, f"{what} (got {shown(name)})")
    if len(chain.paths) > MOST_PARENTS:
        raise _refused(node, f"must extend at most {MOST_PARENTS} files, one after the other")
    return path, Chain(path.parent, chain.budget, [*chain.paths, real])


def _found(node: Node, name: str, folders: list[FilePath], *, key: str = "extends") -> FilePath:
    """The file of a name in the first of some folders that has it."""
    for place in folders:
        if os.path.lexists(place / name):
            return _inside(node, place, name, key)
    suffix = FilePath(name).suffix
    known = {file.stem for place in folders for file in (place / name).parent.glob(f"*{suffix}")}
    hint = near(FilePath(name).stem, known)
    raise _refused(node, f"no such file (got {shown(name)})", hint, key=key)


def _inside(node: Node, folder: FilePath, name: str, key: str) -> FilePath:
    """A path whose file lies where it says and is a regular file."""
    path, got = folder / name, f"(got {shown(name)})"
    try:
        inside = path.resolve(strict=True).parent == (folder.resolve() / name).parent
    except (OSError, RuntimeError):
        raise _refused(node, f"no such file {got}", key=key) from None
    if not inside:
        raise _refused(node, f"must not be a link out of its folder {got}", key=key)
    if not path.is_file():
        raise _refused(node, f"must be a regular file {got}", key=key)
    return path


def _is_event(path: Path) -> bool:
    """Whether an event stands at a path: half of each of two would mean neither."""
    return (len(path) == 2 and path[0] == "events") or (
        len(path) == 4 and path[0] == "options" and path[2] == "events"
    )


def _is_parameter(path: Path) -> bool:
    return (len(path) == 2 and path[0] == "parameters") or (
        len(path) == 4 and path[0] == "options" and path[2] == "parameters"
    )


def _merge(parent: Node, child: Node, path: Path) -> Mapping:
    """A parent's mapping with a child's merged over it."""
    assert isinstance(parent, Mapping)  # noqa: S101
    assert isinstance(child, Mapping)  # noqa: S101
    items, keys = dict(parent.items), dict(parent.keys)
    if _is_parameter(path):
        dropped, child = _given(parent, child, path)
        items = {key: node for key, node in items.items() if key not in dropped}
    for key, node in child.items.items():
        before = items.get(key)
        keys[key] = child.keys[key]
        items[key] = node
        if is_relative(node) and may_move((*path, key)):
            items[key] = moved_quantity(before, node, (*path, key))
        elif isinstance(before, Mapping) and isinstance(node, Mapping):
            items[key] = _joined(before, node, (*path, key))
    return mapping(items, keys, child.mark)


def _given(parent: Mapping, child: Mapping, path: Path) -> tuple[tuple[str, ...], Mapping]:
    """What a child's parameter drops of its parent's, and the child's own.

    Its value is worked out where it is said relative to one that the parent has.
    """
    replaced = (*DETERMINED_BY, *RELATIVE, "fitted")
    is_moved = any(key in child.items for key in RELATIVE)
    if is_moved and any(key in parent.items for key in DETERMINED_BY):
        return (*replaced, "register"), moved_parameter(parent, child, path)
    has_value = any(key in child.items for key in DETERMINED_BY)
    return replaced if has_value else (), child


def _joined(before: Mapping, node: Mapping, path: Path) -> Mapping:
    is_replaced = (len(path) > 2 and path[-1] in REPLACED) or _is_event(path)
    if len(path) > 2 and path[-2] == "factors":
        kinds = FACTOR_KINDS & node.items.keys()
        is_replaced = bool(kinds - before.items.keys())
    return node if is_replaced else _merge(before, node, path)


def _dotted_options(root: Mapping) -> Mapping:
    """A tree whose options have no dotted keys: ``timeline.x`` becomes a mapping."""
    options = root.items.get("options")
    if not isinstance(options, Mapping):
        return root
    items = {
        name: _undotted(option, ("options", name)) if isinstance(option, Mapping) else option
        for name, option in options.items.items()
    }
    return root.replaced("options", options._replace(items=items))


def _undotted(option: Mapping, path: Path) -> Mapping:
    result = mapping({}, {}, option.mark)
    for key, node in option.items.items():
        head, dot, tail = key.partition(".")
        mark = option.keys[key]
        if not dot or head not in {"timeline", "parameters", "events"}:
            added = mapping({key: node}, {key: mark}, option.mark)
        else:
            inner = mapping({tail: node}, {tail: mark}, mark)
            added = mapping({head: inner}, {head: mark}, option.mark)
            _refuse_twice(result, head, tail, mark, path)
        result = _merge(result, added, path)
    return result


def _refuse_twice(result: Mapping, head: str, tail: str, mark: FileMark, path: Path) -> None:
    before = result.items.get(head)
    if isinstance(before, Mapping) and tail in before.items:
        hint = f"first on line {before.keys[tail].line}"
        rule = f"key stands twice (got {shown(f'{head}.{tail}')})"
        raise ScenarioError([problem_at(mark, path, rule, hint)])


def _with_options(root: Mapping) -> Mapping:
    """A tree whose options' parameters are whole: merged over those of what they go on from."""
    options, parameters = root.items.get("options"), root.items.get("parameters")
    if not isinstance(options, Mapping) or not isinstance(parameters, Mapping):
        return root
    items = dict(options.items)
    found: dict[str, dict[str, Node]] = {}
    """Option -> the parameters that it and those it goes on from replace."""
    for name in options.items:
        lineage, before = _lineage(options, name, found)
        replaced = dict(found.get(before, {}))
        for each in lineage:
            items[each], own = _with_own(options.items[each], each, replaced, parameters)
            found[each] = replaced = {**replaced, **own}
    return root.replaced("options", options._replace(items=items))


def _lineage(options: Mapping, name: str, done: Collection[str]) -> tuple[list[str], str]:
    """An option after those it goes on from that are not done, and the one before them."""
    lineage: dict[str, None] = {}
    while name in options.items and name not in done and name not in lineage:
        lineage[name] = None
        option = options.items[name]
        before = option.items.get("of") if isinstance(option, Mapping) else None
        name = before.text if isinstance(before, Scalar) else ""
    return list(reversed(lineage)), name


def _with_own(
    option: Node, name: str, replaced: Mappable[str, Node], parameters: Mapping
) -> tuple[Node, dict[str, Node]]:
    """An option with its parameters whole, and these."""
    given = option.items.get("parameters") if isinstance(option, Mapping) else None
    if not isinstance(option, Mapping) or not isinstance(given, Mapping):
        return option, {}
    whole = {
        p: _over(replaced.get(p, parameters.items.get(p)), node, ("options", name, "parameters", p))
        for p, node in given.items.items()
    }
    return option.replaced("parameters", given._replace(items=whole)), whole


def _over(parent: Node | None, child: Node, path: Path) -> Node:
    if isinstance(parent, Mapping) and isinstance(child, Mapping):
        return _merge(parent, child, path)
    return child


def unknown_scenario(name: str) -> ScenarioError:
    """The error of a name that is no file and no bundled scenario."""
    known = bundled.scenario_names()
    files = [f"{name}{ending}" for ending in (".yaml", ".yml")]
    there = next((shown(file) for file in files if os.path.lexists(file)), "")
    guess = f"did you mean {there}?" if there else near(name, known)
    hint = " ".join(part for part in (guess, f"bundled: {', '.join(known)}") if part)
    return ScenarioError([Problem("", f"no such scenario (got {shown(name)})", hint)])

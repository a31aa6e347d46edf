"""What is found on the way from a tree to a scenario."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simlib.scenario.nodes import Scalar, describe, problem_at

if TYPE_CHECKING:
    from simlib.errors import Problem
    from simlib.scenario.nodes import Node, Path

ENOUGH = 40
"""Hints cost time to find: past so many problems they are left out."""
MOST_PROBLEMS = 1000
"""Past so many problems nothing more is noted."""


@dataclass(slots=True)
class Findings:
    """What fitting finds: problems, where they are, and the expressions met."""

    problems: list[Problem] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)
    above_broken: set[Path] = field(default_factory=set)
    expressions: dict[Path, str] = field(default_factory=dict)

    def add(self, node: Node, path: Path, rule: str, hint: str = "") -> None:
        """Note a problem that stands at a node."""
        self.note(problem_at(node.mark, path, rule, hint), path)

    def note(self, problem: Problem, path: Path) -> None:
        """Note a problem, and that what stands at a path is broken."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
            self.broken.add(path)
            self.above_broken.update(path[:i] for i in range(len(path) + 1))

    def is_under_broken(self, path: Path) -> bool:
        """Whether what stands at a path, or on the way to it, is broken."""
        return any(path[:i] in self.broken for i in range(len(path) + 1))

    def unwanted(self, node: Node, path: Path, wanted: str, hint: str = "") -> None:
        """Note that something else is wanted at a node."""
        if not hint and isinstance(node, Scalar) and wanted == "a mapping":
            hint = "missing space after ':'?" if ":" in node.text else ""
        self.add(node, path, f"must be {wanted} (got {describe(node)})", hint)

    def spare(self) -> bool:
        """Whether there is still room for hints that take time to find."""
        return len(self.problems) < ENOUGH

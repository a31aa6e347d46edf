"""What the numbers of a scenario rest on: the grade of the evidence behind each parameter.

The register, ``seeds/parameters.csv``, says in its column ``basis`` whether a number was
read in a source or judged; a parameter that names no row of it is a judgement. One that says
what it was fitted to is neither.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from simlib.errors import Problem, ScenarioError
from simlib.scenario.bundled import REGISTER, seed_table

if TYPE_CHECKING:
    from simlib.scenario.schema import Parameter

GRADES = {
    "S": "source",
    "F": "fitted",
    "S2": "weak source",
    "D": "derived",
    "G": "general knowledge",
    "J": "judgement",
}
"""Words for the column ``basis`` of the register, from the firmest on; F is no row's."""


@functools.cache
def _bases() -> dict[str, str]:
    return {row["id"]: row["basis"] for row in seed_table(REGISTER)}


def grade_of(name: str, parameter: Parameter) -> str:
    """Return the grade of the evidence behind a parameter, a value of `GRADES`.

    Raises
    ------
    ScenarioError
        It names a row that the register does not have, or that has no known grade.
    """
    if parameter.fitted is not None:
        return GRADES["F"]
    if parameter.register_id is None:
        return GRADES["J"]
    basis = _bases().get(parameter.register_id)
    if basis not in GRADES:
        rule = f"its register row has no grade of evidence (got {parameter.register_id})"
        raise ScenarioError([Problem(f"parameters.{name}.register", rule)])
    return GRADES[basis]

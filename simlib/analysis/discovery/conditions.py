"""Conditions on outcomes, as people write them: ``raids_north > 60``."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simlib.errors import Problem, ScenarioError
from simlib.outcomes import kind_of
from simlib.scenario import load_text
from simlib.scenario.spelling import words
from simlib.scenario.wording import near_or_all
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from simlib.ensemble import Ensemble
    from simlib.scenario.schema import Scenario

_HOW = (
    "write OUTCOME > NUMBER, OUTCOME = CLASS or OUTCOME in worst 20 %; before the operator "
    "': OPTION', or ': OPTION - OTHER' for the effect of one against the other"
)
_COMPARED = re.compile(r"^(?P<left>[^<>=!]+?)\s*(?P<sign><=|>=|!=|<|>|=)\s*(?P<right>[^<>=!]+)$")
_RANKED = re.compile(r"^(?P<left>.+?)\s+in\s+(?P<end>\w+)\s+(?P<share>[\d.]+)\s*%$")
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_HIGH, _LOW = ("worst", "highest"), ("best", "lowest")
_FLAGS = {"yes": 1.0, "no": 0.0, "1": 1.0, "0": 0.0}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read: of which outcome, under which options, and its test.

    Of two options it is on the effect of the first against the second. The test goes from the
    values to which of them meet it, and what was tested in words.
    """

    text: str
    outcome: str
    options: tuple[str, ...]
    test: Callable[[NDArray[Any]], tuple[NDArray[np.bool_], str]]


@dataclass(frozen=True, slots=True)
class Cases:
    """Which replications meet a condition, of those in which the outcome is settled.

    The reading is the condition as it was understood, with the number a rank stands for.
    """

    reading: str
    replications: NDArray[np.int64]
    is_case: NDArray[np.bool_]
    n_unsettled: int


def read_condition(text: str, ensemble: Ensemble) -> Condition:
    """Read a condition on an outcome of an ensemble.

    ``OUTCOME > NUMBER`` (or ``<``, ``>=``, ``<=``, ``=``, ``!=``), ``OUTCOME = CLASS`` (or
    ``yes``, ``no``), ``OUTCOME in worst 20 %`` (the highest values; ``highest``, ``lowest``
    and ``best`` are read too). With ``: OPTION`` after the outcome it is of that option,
    with ``: OPTION - OTHER`` of the paired difference.

    Raises
    ------
    ScenarioError
        It cannot be read, or names what the ensemble does not have.
    """
    return _read(text, _Known(ensemble.manifest["outcomes"], ensemble.options))


def refuse_unreadable(text: str, scenario: Scenario, options: Sequence[str]) -> None:
    """Refuse a condition that could not be read once options of a scenario are simulated.

    Raises
    ------
    ScenarioError
        It cannot be read, or names what the scenario does not have.
    """
    outcomes = {
        name: {"kind": kind_of(outcome), "classes": outcome.classes}
        for name, outcome in scenario.outcomes.items()
    }
    _read(text, _Known(outcomes, tuple(options) or ("",)))


class _Known(NamedTuple):
    """What a condition may name: outcomes, with kind and classes, and options."""

    outcomes: Mapping[str, Mapping[str, Any]]
    options: tuple[str, ...]


def _read(text: str, known: _Known) -> Condition:
    compared, ranked = _COMPARED.match(text.strip()), _RANKED.match(text.strip())
    if ranked is not None and compared is None:
        outcome, options = _left(text, ranked["left"], known)
        _refuse_rank(text, outcome, options, known)
        return Condition(text, outcome, options, _rank_test(text, ranked["end"], ranked["share"]))
    if compared is None:
        raise _wrong(text, "cannot be read", _HOW)
    outcome, options = _left(text, compared["left"], known)
    right = compared["right"].strip()
    values = _right(text, right, outcome, options, known)
    if isinstance(values, str) and compared["sign"] not in {"=", "!="}:
        raise _wrong(text, f"a class is compared with = or != (got {compared['sign']!r})")
    sign = _SIGNS[compared["sign"]]
    said = f"{compared['sign']} {right}"
    return Condition(text, outcome, options, lambda seen: (sign(seen, values), said))


def cases(condition: Condition, ensemble: Ensemble) -> Cases:
    """Which replications of an ensemble meet a condition.

    A milestone that is not completed by the horizon is later than everything seen, as in
    the outcome table; its difference between two options is not settled.

    Raises
    ------
    ScenarioError
        It is settled in no replication.
    """
    name, options = condition.outcome, words(" against ".join(condition.options))
    parts = [ensemble.of(option) for option in condition.options]
    columns: list[Any] = [part.outcomes[name].rename_axis("replication") for part in parts]
    seen = columns[0]
    if len(columns) == 2:
        both = columns[0].index.intersection(columns[1].index)
        seen = columns[0].loc[both] - columns[1].loc[both]
    elif ensemble.manifest["outcomes"][name]["kind"] == "number":
        seen = seen.fillna(_unseen(ensemble, name))
    settled = seen.dropna()
    if settled.empty:
        raise _wrong(condition.text, f"{name} is settled in no replication")
    is_case, said = condition.test(settled.to_numpy())
    return Cases(
        reading=f"{ensemble.label(name)}{f' ({options})' if options else ''} {said}",
        replications=settled.index.to_numpy(dtype=np.int64),
        is_case=np.asarray(is_case, dtype=np.bool_),
        n_unsettled=len(seen) - len(settled),
    )


def _unseen(ensemble: Ensemble, outcome: str) -> float:
    """What a number that is not settled counts as."""
    declared = load_text(ensemble.manifest["scenario"]).outcomes[outcome]
    if declared.milestone is None:
        return float("nan")
    return -np.inf if declared.measure == "share_left" else np.inf


def _left(text: str, left: str, known: _Known) -> tuple[str, tuple[str, ...]]:
    outcome, _, options = (part.strip() for part in left.partition(":"))
    if outcome not in known.outcomes:
        raise _wrong(text, f"no outcome {outcome!r}", near_or_all(outcome, known.outcomes))
    if not options:
        if len(known.options) > 1:
            names = ", ".join(known.options)
            raise _wrong(text, "several options", f"say ': OPTION' after {outcome}; one of {names}")
        return outcome, known.options
    found = _match(options, known.options)
    if not found:
        names = ", ".join(name or "(as written)" for name in known.options)
        raise _wrong(text, f"no option {options!r} among the results", f"there are {names}")
    return outcome, found


def _match(written: str, known: Collection[str]) -> tuple[str, ...]:
    if written in known:
        return (written,)
    for cut in re.finditer(r"\s-\s", written):
        pair = written[: cut.start()].strip(), written[cut.end() :].strip()
        if set(pair) <= set(known):
            return pair
    return ()


def options_named(text: str, known: Collection[str]) -> tuple[str, ...]:
    """The options there are that a condition is about; none where it names none of them."""
    matched = _COMPARED.match(text.strip()) or _RANKED.match(text.strip())
    return _match(matched["left"].partition(":")[2].strip(), known) if matched else ()


def _right(
    text: str, right: str, outcome: str, options: tuple[str, ...], known: _Known
) -> float | str:
    declared = known.outcomes[outcome]
    if declared["kind"] == "class":
        if len(options) == 2:
            raise _wrong(text, f"{outcome} is a class, which has no difference")
        classes = [*declared["classes"], "open"]
        if right not in classes:
            raise _wrong(text, f"no class {right!r} of {outcome}", f"one of {', '.join(classes)}")
        return right
    if declared["kind"] == "flag" and len(options) == 1 and right in _FLAGS:
        return _FLAGS[right]
    try:
        value = float(right.replace(",", ""))
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise _wrong(text, f"{outcome} is compared with a number (got {right!r})")
    return value


def _refuse_rank(text: str, outcome: str, options: tuple[str, ...], known: _Known) -> None:
    kind = known.outcomes[outcome]["kind"]
    if kind == "class" or (kind == "flag" and len(options) == 1):
        raise _wrong(text, f"{outcome} is a {kind}, which has no highest values")


def _rank_test(
    text: str, end: str, share: str
) -> Callable[[NDArray[Any]], tuple[NDArray[np.bool_], str]]:
    percent = float(share) if re.fullmatch(r"\d+(\.\d+)?", share) else 0.0
    if end not in {*_HIGH, *_LOW}:
        words = ", ".join((*_HIGH, *_LOW))
        raise _wrong(text, f"cannot be ranked by {end!r}", f"one of {words}")
    if not 0.0 < percent < 100.0:
        raise _wrong(text, f"a share is above 0 and below 100 % (got {share})")

    def test(seen: NDArray[Any]) -> tuple[NDArray[np.bool_], str]:
        # Of equal values all or none: never more than the share.
        if end in _HIGH:
            bound = np.quantile(seen, 1.0 - percent / 100.0, method="higher")
            return seen > bound, f"in highest {percent:g} % (> {number(float(bound))})"
        bound = np.quantile(seen, percent / 100.0, method="lower")
        return seen < bound, f"in lowest {percent:g} % (< {number(float(bound))})"

    return test


def _wrong(text: str, rule: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Problem(f"condition {text!r}", rule, hint)])

"""Arithmetic over parameters: Python's own where both read it, nothing beyond."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib.errors import ScenarioError, SimulationError
from simlib.scenario import from_dict
from simlib.scenario.expressions import ExpressionError, compile_quantity, names
from simlib.scenario.parameter_values import order, typical

NUMBERS = st.floats(min_value=0.1, max_value=9, allow_nan=False).map(lambda x: f"{x:.3f}")
EXPRESSIONS = st.recursive(
    NUMBERS | st.sampled_from(["a", "b"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join),
        inner.map(lambda x: f"({x})"),
        inner.map(lambda x: f"-{x}"),
        inner.map(lambda x: f"({x}) ** 2"),
        st.tuples(inner, inner).map(lambda pair: f"max({pair[0]}, {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"min({pair[0]}, {pair[1]})"),
        inner.map(lambda x: f"exp(-(({x}) ** 2))"),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS, st.floats(0.1, 9), st.floats(0.1, 9))
def test_value_is_pythons(text: str, a: float, b: float) -> None:
    """Python reads the same grammar: an expression has the value that Python gives it."""
    known = {"a": a, "b": b, "exp": math.exp, "min": min, "max": max}
    try:
        expected = float(eval(text, {"__builtins__": {}}, known))  # noqa: S307
    except ArithmeticError:
        expected = math.nan
    if math.isfinite(expected):
        assert compile_quantity(text)({"a": a, "b": b}) == expected
    else:
        with pytest.raises(SimulationError):
            compile_quantity(text)({"a": a, "b": b})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("2 - 3 - 4", -5),
        ("12 / 3 / 2", 2),
        ("2 * -3", -6),
        ("--2", 2),
        ("log(exp(2))", 2),
        ("sqrt(9) + min(3, 1, 2)", 4),
        ("1e3 + .5 + 5.", 1005.5),
        ("isis.fighters_total * 2", 8),
    ],
)
def test_precedence(text: str, value: float) -> None:
    assert compile_quantity(text)({"isis.fighters_total": 4.0}) == value


def test_numbers_are_quantities() -> None:
    assert compile_quantity(3)({}) == 3
    assert names(3.0) == set()
    assert names("a.b * a.b + min(c, 2)") == {"a.b", "c"}


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "2 +", "(2", "2)", "2 3", "a b", "a..b", ".a", "a.", "2 // 3", "2 % 3", "a[0]",
        "a()", "f(1)", "exp()", "exp(1, 2)", "min(1)", "lambda: 1", "a if b else c", "a == b",
        "a, b", "__import__('os')", "a.__class__()", "'text'", "1_000", "0x10", "010", "1e", "1j",
        "True or a", "x := 2", "a @ b", "~2", "2 ^ 3", "\u0663 * 2", "-" * 60 + "1",
        "1e400", "a + " + "9" * 400,
        "1+" * 600 + "1", "(" * 60 + "1" + ")" * 60,
    ],
)  # fmt: skip
def test_nothing_else_is_an_expression(text: str) -> None:
    """Refused when it is read, before anything could be evaluated."""
    with pytest.raises(ExpressionError):
        names(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        names(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1 / (a - a)", "division by zero"),
        ("log(a - a)", "math domain error"),
        ("(-a) ** 0.5", "root of a negative number"),
        ("exp(1000 * a)", "a number that is too large"),
        ("10 ** 400 * a", "a number that is too large"),
        ("max((-a) ** 0.5, 1)", "root of a negative number"),
        ("exp((-a) ** 0.5)", "root of a negative number"),
        ("((-a) ** 0.5) ** 2", "root of a negative number"),
        ("a * 1e308 * 1e308", "no finite number (got inf)"),
        ("a + b", "no parameter 'b'"),
    ],
)
def test_what_has_no_value_is_a_simulation_error(text: str, complaint: str) -> None:
    with pytest.raises(SimulationError, match=r".") as caught:
        compile_quantity(text)({"a": 1.0})
    assert str(caught.value).startswith(f"{text}: ")
    assert complaint in str(caught.value)


def scenario_of(parameters: dict[str, object]) -> dict[str, object]:
    return {
        "simlib": 1, "name": "s", "context_of_use": "a test", "start": "2025-01-01",
        "end": "2025-12-31", "places": {}, "parameters": parameters,
    }  # fmt: skip


def derived(expression: str) -> dict[str, object]:
    return {"expression": expression, "unit": "1", "judgement": "test"}


def test_order_puts_what_is_mentioned_first() -> None:
    """A Dirichlet's parts stand for the parameter that gives them."""
    scenario = from_dict(
        scenario_of(
            {
                "a": derived("b + mix.met"),
                "b": derived("2 * c"),
                "c": {"value": 3, "unit": "1", "judgement": "test"},
                "mix": {
                    "distribution": {"dirichlet": {"met": 1, "not": 3}},
                    "unit": "1",
                    "judgement": "test",
                },
            }
        )
    )
    found = order(scenario)
    assert set(found) == {"a", "b", "c", "mix"}
    assert found.index("c") < found.index("b") < found.index("a") > found.index("mix")
    values, _ = typical(scenario)
    assert values == {"a": 6.25, "b": 6, "c": 3, "mix.met": 0.25, "mix.not": 0.75}


def test_circle_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"form a circle \(got a -> b -> a\)"):
        from_dict(scenario_of({"a": derived("b"), "b": derived("a")}))

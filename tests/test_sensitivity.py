"""Indices on functions and scenarios whose shares are known; screening; what is refused."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib import analysis, plot
from simlib.analysis.global_sensitivity.morris import Paths, screen
from simlib.analysis.global_sensitivity.sobol import Design, indices, sensitivity
from simlib.cli.explore_commands import sensitivity as command
from simlib.ensemble.execution import Execution
from simlib.errors import ScenarioError, SimulationError
from simlib.scenario import load, load_text
from simlib.scenario.register_rows import grade_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from simlib.analysis.global_sensitivity.sobol import Indices, Sensitivity
    from simlib.scenario.schema import Scenario

TOY = """\
simlib: 1
name: toy
context_of_use: Tests of the library.
root_seed: 5
start: 2000-01-01
end: 2000-03-31
history_days: 0
places:
  North: {kind: governorate, country: Iraq}
  South: {kind: governorate, country: Iraq}
state:
  guards: {unit: persons, start: 10 + a + b + structure.c}
  part: {unit: share, start: d.x}
parameters:
  a: {distribution: {uniform: {low: 0, high: 1}}, unit: persons, register: A27}
  b: {distribution: {uniform: {low: 0, high: 2}}, unit: persons, judgement: test}
  structure.c: {distribution: {uniform: {low: 0, high: 4}}, unit: persons, judgement: test}
  d: {distribution: {dirichlet: {x: 1, y: 2}}, unit: share, judgement: test}
  raids: {distribution: {uniform: {low: 0.1, high: 0.5}}, unit: incidents per day, judgement: test}
  inert: {distribution: {normal: {mean: 0, sd: 1}}, unit: persons, judgement: test}
incidents:
  raid:
    groups:
      main: {target: posts, per: day, level: {North: raids, South: 0.2}}
timeline:
  exit: {date: 2000-02-29}
options:
  wider:
    parameters.a: {distribution: {uniform: {low: 0, high: 3}}, unit: persons, register: A27}
outcomes:
  guards: {state: guards}
  part: {state: part}
  raids_north: {count: raid, in: North}
  raids_south: {count: raid, in: South}
  exit_class: {milestone: exit, classes: [met, slipped]}
  months_late: {milestone: exit, measure: months_late}
"""
N_DAYS = 91.0


def toy() -> Scenario:
    """Return a scenario whose outcomes have known shares of parameters and chance."""
    return load_text(TOY)


@functools.cache
def by_parameter() -> Sensitivity:
    """Return the shares of each parameter of the toy scenario."""
    return sensitivity(toy(), by="parameter", samples=256, jobs=1)


def ishigami(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the function of T. Ishigami and T. Homma (1990), doi:10.1109/ISUMA.1990.151285."""
    x = np.pi * (2.0 * u - 1.0)
    found: NDArray[np.float64] = (
        np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    )
    return found


def ishigami_indices() -> tuple[list[float], list[float]]:
    """Return its first and total indices in closed form (a = 7, b = 0.1)."""
    a, b, pi = 7.0, 0.1, np.pi
    one = 0.5 * (1.0 + b * pi**4 / 5.0) ** 2
    two = a**2 / 8.0
    both = b**2 * pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
    whole = one + two + both
    assert whole == pytest.approx(13.844587940719254)
    return [one / whole, two / whole, 0.0], [(one + both) / whole, two / whole, both / whole]


WEIGHTS = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])


def sobol_g(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Sobol's G function with `WEIGHTS`."""
    found: NDArray[np.float64] = np.prod(
        (np.abs(4.0 * u - 2.0) + WEIGHTS) / (1.0 + WEIGHTS), axis=1
    )
    return found


def sobol_g_indices() -> tuple[list[float], list[float]]:
    """Return its first and total indices in closed form."""
    own = 1.0 / (3.0 * (1.0 + WEIGHTS) ** 2)
    whole = np.prod(1.0 + own) - 1.0
    assert own[0] / whole == pytest.approx(0.7161921688790331)
    return list(own / whole), list(own * np.prod(1.0 + own) / (1.0 + own) / whole)


Known = tuple[list[float], list[float]]
FUNCTIONS = [(ishigami, ishigami_indices), (sobol_g, sobol_g_indices)]


@pytest.mark.parametrize(("function", "known"), FUNCTIONS)
def test_indices_of_known_functions(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], known: Callable[[], Known]
) -> None:
    """First and total indices are those in closed form.

    Tolerance: the 95 % half width of each, which is wide for a Sobol sequence, and at
    most 0.05; so an estimator that says nothing (wide intervals) fails too.
    """
    first, total = known()
    names = tuple(f"x{i}" for i in range(len(first)))
    design = Design(names, 4096, "test")
    found = indices(design, function(design.rows()))
    for i, name in enumerate(names):
        assert abs(found.first[name] - first[i]) < min(found.first_half[name], 0.05) + 1e-4
        assert abs(found.total[name] - total[i]) < min(found.total_half[name], 0.05) + 1e-4


def test_columns_of_a_group_are_exchanged_together() -> None:
    """Ishigami's first and third as a group: first = total = 1 - S of the second."""
    design = Design(("odd", "even", "odd"), 4096, "test")
    found = indices(design, ishigami(design.rows()))
    even = ishigami_indices()[0][1]
    for index in (found.first, found.total):
        assert index["odd"] == pytest.approx(1.0 - even, abs=0.03)
        assert index["even"] == pytest.approx(even, abs=0.03)
    assert abs(found.remainder) < max(found.remainder_half, 0.03)


def is_share(found: Indices, group: str, share: float) -> bool:
    """Whether a first and a total index are a share, within 1.5 of their 95 % half widths."""
    return (
        abs(found.first[group] - share) <= 1.5 * found.first_half[group] + 1e-9
        and abs(found.total[group] - share) <= 1.5 * found.total_half[group] + 1e-9
    )


def test_additive_outcome_has_the_shares_of_its_terms() -> None:
    """Uniforms of ranges 1, 2, 4 added up: variances 1 : 4 : 16, nothing else, no chance."""
    found = by_parameter().indices["guards"]
    for group, share in (("a", 1 / 21), ("b", 4 / 21), ("structure.c", 16 / 21)):
        assert is_share(found, group, share)
        assert found.first_half[group] < 0.3
    assert found.variance == pytest.approx(21.0 / 12.0, rel=0.05)
    assert found.mean == pytest.approx(13.5, abs=0.05)


def test_of_many_parameters_a_screening_tells_the_ten_that_matter_from_the_others() -> None:
    """The three terms of the sum are told apart; the inert are among ties or the others.

    What is left together has no role, so its total is exactly 0.
    """
    law = "{distribution: {normal: {mean: 0, sd: 1}}, unit: persons, judgement: test}"
    more = "".join(f"  inert_{i}: {law}\n" for i in range(12))
    scenario = load_text(TOY.replace("parameters:\n", f"parameters:\n{more}", 1))
    found = sensitivity(scenario, "guards", samples=64, jobs=1)
    assert {"a", "b", "structure.c"} < set(found.members)
    assert len(found.members) == 12  # ten, the others together, chance
    assert len(found.members["others"]) == 8
    assert found.indices["guards"].total["others"] == 0.0
    assert found.indices["guards"].total["structure.c"] > 0.5


def test_what_has_no_role_has_a_total_of_exactly_nothing() -> None:
    """Under common random numbers a number without a role changes no bit of an outcome."""
    found = by_parameter().indices
    for outcome in ("guards", "raids_north", "raids_south", "part"):
        assert found[outcome].total["inert"] == 0.0
    assert found["guards"].total["chance"] == 0.0
    assert found["raids_north"].total["raids"] > 0.1  # negative control


def test_chance_alone_has_all_of_the_variance() -> None:
    """Poisson at a fixed rate: chance 1, every parameter exactly 0."""
    found = by_parameter().indices["raids_south"]
    assert is_share(found, "chance", 1.0)
    assert {found.total[name] for name in found.total if name != "chance"} == {0.0}
    assert found.variance == pytest.approx(0.2 * N_DAYS, rel=0.25)


def test_parameter_and_chance_split_a_poisson_count_as_total_variance_does() -> None:
    """Var E(Y | rate) / Var Y for the rate alone, E Var(Y | rate) / Var Y for chance in all."""
    of_rate, of_chance = N_DAYS**2 * 0.4**2 / 12.0, 0.3 * N_DAYS
    whole = of_rate + of_chance
    found = by_parameter().indices["raids_north"]
    first, total = found.first["raids"], found.total["chance"]
    assert abs(first - of_rate / whole) < 1.5 * found.first_half["raids"]
    assert abs(total - of_chance / whole) < 1.5 * found.total_half["chance"]
    assert found.total_half["chance"] < 0.1


def test_a_dirichlet_is_one_group() -> None:
    """Its parts are exchanged together: an outcome that is a part has it alone."""
    result = by_parameter()
    found = result.indices["part"]
    assert result.members["d"] == ("d",)
    assert is_share(found, "d", 1.0)
    assert {found.total[name] for name in found.total if name != "d"} == {0.0}


def test_kinds_and_grades_are_sums_of_their_parameters() -> None:
    """Structure 16, others 5 of 21; read in a source (A27) 1, judged 20 of 21."""
    kinds = sensitivity(toy(), "guards", by="kind", samples=64, jobs=1)
    assert list(kinds.members) == ["structure", "parameters", "chance"]
    assert is_share(kinds.indices["guards"], "structure", 16 / 21)
    assert is_share(kinds.indices["guards"], "parameters", 5 / 21)
    grades = sensitivity(toy(), "guards", by="grade", samples=64, jobs=1)
    assert list(grades.members) == ["source", "judgement", "chance"]
    assert grades.members["source"] == ("a",)
    assert is_share(grades.indices["guards"], "judgement", 20 / 21)
    share = round(100.0 * grades.indices["guards"].total["judgement"])
    assert grades.sentences()[0].startswith(f"Judgement-grade numbers carry {share} % (")


def test_every_drawn_number_of_the_bundled_scenario_has_a_grade() -> None:
    parameters = load("as_agreed").parameters
    drawn = {n: p for n, p in parameters.items() if p.distribution is not None}
    grades = {name: grade_of(name, parameter) for name, parameter in drawn.items()}
    assert grades["isis.stock"] == "source"
    assert set(grades.values()) >= {"source", "derived", "general knowledge", "judgement"}


def test_a_difference_of_options_has_only_what_makes_them_differ() -> None:
    """The wider range of a: the effect is twice its uniform; all else and luck are shared."""
    options = ("", "wider")
    result = sensitivity(toy(), options=options, by="parameter", samples=64, jobs=1)
    found = result.indices["guards"]
    assert found.mean == pytest.approx(1.0, abs=0.05)
    assert found.variance == pytest.approx(4.0 / 12.0, rel=0.1)
    assert is_share(found, "a", 1.0)
    assert {found.total[name] for name in found.total if name != "a"} == {0.0}
    # What happens does not differ at all.
    assert result.left_out["raids_north"] == ("differs from its commonest value in 0 of 128 runs")


def test_parameters_named_stand_against_the_others() -> None:
    result = sensitivity(toy(), "guards", by=["b"], samples=64, jobs=1)
    assert list(result.members) == ["b", "others", "chance"]
    assert is_share(result.indices["guards"], "others", 17 / 21)


def test_outcomes_without_indices_are_told_with_the_reason() -> None:
    result = by_parameter()
    assert result.left_out == {
        "exit_class.open": "differs from its commonest value in 0 of 512 runs",
        "months_late": "not seen by the horizon in 2,304 of 2,304 runs",
    }
    assert any(line.startswith("Months late: left out") for line in result.sentences())


def test_the_same_on_any_number_of_workers_and_from_kept_pieces(tmp_path: Path) -> None:
    """Determinism, to the last bit; another root seed gives other numbers."""

    def found(how: Execution, seed: int = 5) -> dict[str, Indices]:
        scenario = toy().model_copy(update={"root_seed": seed})
        return sensitivity(scenario, "raids_north", by="kind", samples=16, **how).indices

    one = found(Execution(jobs=1, directory=tmp_path))
    assert found(Execution(jobs=2)) == one
    assert found(Execution(jobs=1, directory=tmp_path)) == one
    assert found(Execution(jobs=1), seed=6) != one


def test_elementary_effects_of_a_linear_function_are_its_slopes() -> None:
    """Over three quarters of the range, whatever the path; nothing else varies."""
    paths = Paths(3, 4, "test")
    rows = paths.rows()
    found = paths.effects("xyz", rows, 2.0 * rows[:, 0] - 4.0 * rows[:, 1])
    assert found.mu == pytest.approx({"x": 1.5, "y": -3.0, "z": 0.0})
    assert found.mu_star == pytest.approx({"x": 1.5, "y": 3.0, "z": 0.0})
    assert found.sigma == pytest.approx({"x": 0.0, "y": 0.0, "z": 0.0}, abs=1e-12)


def test_screening_ranks_what_moves_outcomes_and_leaves_the_inert_at_nothing() -> None:
    """Uniforms of ranges 1, 2, 4; luck is one along a path, so the inert have exactly 0."""
    result = screen(toy(), trajectories=4, jobs=1)
    guards = result.effects["guards"]
    assert result.ranking("guards")[:3] == ["structure.c", "b", "a"]
    assert guards.mu_star["structure.c"] == pytest.approx(3.0)
    raids = result.effects["raids_north"].mu_star
    assert {name for name, star in raids.items() if star > 0.0} == {"raids"}
    assert set(result.effects["raids_south"].mu_star.values()) == {0.0}
    assert result.spread["raids_south"] > 0.0  # paths have lucks of their own
    assert result.parameters()[-1] == "inert"
    assert len(result.table()) == 5 * 7
    effect = screen(toy(), "guards", options=("", "wider"), trajectories=2, jobs=1)
    assert effect.effects["guards"].mu == pytest.approx(
        dict.fromkeys(result.owners, 0.0) | {"a": 1.5}
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outcomes": "raid"}, r"outcomes: no such outcome \(got 'raid'\)"),
        ({"outcomes": "guards.met"}, r"outcomes: no such outcome \(got 'guards.met'\)"),
        ({"options": "wide"}, "options.wide: no such option"),
        ({"options": ["", "wider", "x"]}, "options: must be one, or a baseline and another"),
        ({"samples": 100}, r"samples: must be a power of 2, 16 to 65536 \(got 100\)"),
        ({"samples": 0}, r"samples: must be a whole number from 16 to 65536 \(got 0\)"),
        ({"by": "luck"}, r"by: must be parameter, grade, kind .*\(got 'luck'\)"),
        ({"by": ["bb"]}, "parameters.bb: not drawn from a distribution"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        sensitivity(toy(), **arguments)  # type: ignore[arg-type]
    assert len(str(caught.value).splitlines()) == 1


def test_the_functions_are_where_analyses_are() -> None:
    assert analysis.sensitivity is sensitivity
    assert analysis.screen is screen


def test_screening_refuses_one_path() -> None:
    with pytest.raises(ScenarioError, match=r"trajectories: must be .* from 2 .*\(got 1\)"):
        screen(toy(), trajectories=1)


def test_without_the_library_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "SALib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "SALib", None)
    with pytest.raises(SimulationError, match=r"pip install 'simlib-scenarios\[analysis\]'"):
        sensitivity(toy(), "guards", by="kind", samples=16, jobs=1)


def test_figures_show_groups_and_refuse_what_is_not_there() -> None:
    result = by_parameter()
    ax = plot.sensitivity(result, "guards")
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0] == "structure c"
    assert labels[-1] == "chance"
    widths = [bar.get_width() for bar in ax.containers[0].patches]  # type: ignore[attr-defined]
    assert widths[0] == pytest.approx(100.0 * result.indices["guards"].first["structure.c"])
    everything = plot.sensitivity(result)
    assert len(everything.get_yticklabels()) == len(result.indices)
    assert plot.screening(screen(toy(), "guards", trajectories=2, jobs=1)).get_title("left")
    with pytest.raises(ScenarioError, match="outcome: nothing to draw of it"):
        plot.sensitivity(result, "months_late")


def test_the_command_prints_and_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "toy.yaml"
    file.write_text(TOY, encoding="utf-8")
    out = tmp_path / "out"
    command(str(file), ["guards"], by="kind", samples=16, jobs=1, output=out)
    command(str(file), ["guards"], method="morris", samples=2, jobs=1, output=out)
    printed = capsys.readouterr().out
    assert "Of the variance of Guards, as written: structure" in printed
    assert {path.name for path in out.iterdir()} == {
        ".simlib-written",
        "morris-level-guards.png",
        "morris-level.csv",
        "morris-level.txt",
        "pieces",
        "sobol-level-guards.png",
        "sobol-level.csv",
        "sobol-level.txt",
    }
    with pytest.raises(ScenarioError, match="method: must be sobol or morris"):
        command(str(file), method="fast")

"""Figures return their axes, label them, and need neither pyplot nor a display."""

from __future__ import annotations

import dataclasses
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Annotation

import simlib
from simlib.errors import ScenarioError, StoreError
from simlib.files import Output
from simlib.plot.outcome_panels import _points
from simlib.plot.style import dress, new_figure, save
from simlib.scenario.spelling import heading, words
from support.agents import Watcher
from support.scenarios import ensemble_of, small, watched

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def ensemble() -> simlib.Ensemble:
    """Return eight replications of the watched scenario."""
    return ensemble_of(8)


def assert_labelled(ax: Axes, *, unit: str) -> None:
    """Hold that axes have a title and that one axis names the unit."""
    assert ax.get_title(loc="left")
    assert unit in f"{ax.get_xlabel()} {ax.get_ylabel()}"


@pytest.mark.parametrize(
    ("outcome", "unit"),
    [
        ("raids", "incidents"),
        ("guards_end", "persons"),
        ("months_late", "months"),
        ("exit_class", "probability (%)"),
        ("together", "probability (%)"),
    ],
)
def test_a_distribution_is_labelled(ensemble: simlib.Ensemble, outcome: str, unit: str) -> None:
    ax = Figure().subplots()
    assert simlib.plot.distribution(ensemble, outcome, ax) is ax
    assert_labelled(ax, unit=unit)


def test_an_unknown_outcome_is_named(ensemble: simlib.Ensemble) -> None:
    with pytest.raises(KeyError, match="no outcome 'riads'"):
        simlib.plot.distribution(ensemble, "riads")


def test_the_shares_of_a_histogram_add_up_to_all(ensemble: simlib.Ensemble) -> None:
    ax = simlib.plot.distribution(ensemble, "raids")
    (bars,) = (patch for patch in ax.patches if isinstance(patch, StepPatch))
    assert np.sum(bars.get_data()[0]) == pytest.approx(100)


def _said(ax: Axes) -> str:
    """Return all that a figure says outside its title and ticks."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    texts = [text for each in figure.axes for text in each.texts] + figure.texts
    return " ".join(text.get_text() for text in texts).replace("\n", " ")


def test_a_fan_has_two_bands_a_median_and_their_names(ensemble: simlib.Ensemble) -> None:
    ax = simlib.plot.fan(ensemble, "raid", "Iraq")
    assert_labelled(ax, unit="incidents per month")
    assert len(ax.collections) == 2
    heights = {text.get_text(): text.xy[1] for text in ax.texts if isinstance(text, Annotation)}
    names = ["95 %", "75 %", "median", "25 %", "5 %"]
    apart = -np.diff([heights[name] for name in names])
    assert (apart >= 0.049 * np.ptp(ax.get_ylim())).all()


def test_quantiles_have_as_many_digits_as_they_span() -> None:
    assert _points(0.0567, 0.000243, 0.543) == ["0.06", "0.00", "0.54"]
    assert _points(5.97, 0.0, math.inf) == ["6.0", "0.0", "after the end"]
    assert _points(2.0, 0.0, 4.0) == ["2", "0", "4"]
    assert _points(2.5, 2.5, 2.5) == ["2.50"] * 3


def test_a_month_that_mostly_has_none_is_drawn_as_a_probability(
    ensemble: simlib.Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = np.zeros((8, len(ensemble.months())), dtype=np.int32)
    counts[:2] = 7
    monkeypatch.setattr(simlib.Ensemble, "monthly_counts", lambda *_: counts)
    ax = simlib.plot.fan(ensemble, "raid", "Iraq")
    assert_labelled(ax, unit="(%)")
    assert np.asarray(ax.lines[0].get_ydata()).tolist() == [25.0] * (counts.shape[1] + 1)
    assert {"1 or more", "5 or more"} <= {text.get_text() for text in ax.texts}


@pytest.fixture(scope="module")
def several() -> simlib.Ensemble:
    """Return four replications of the small scenario under each of its options."""
    return simlib.run(small(), options="all", replications=4, jobs=1)


def test_options_stand_together_and_are_named(several: simlib.Ensemble) -> None:
    for ax in (
        simlib.plot.distribution(several, "raids"),
        simlib.plot.fan(several, "raid"),
        simlib.plot.exit_curve(several, "exit"),
    ):
        said = _said(ax)
        for option in several.options:
            assert words(option) in said
        assert f"n = 4 for each of {len(several.options)} options" in said


def test_what_a_figure_rests_on_stands_below_it(ensemble: simlib.Ensemble) -> None:
    for ax in (
        simlib.plot.distribution(ensemble, "raids"),
        simlib.plot.distribution(ensemble, "exit_class"),
        simlib.plot.probabilities(ensemble),
        simlib.plot.fan(ensemble, "raid"),
        simlib.plot.exit_curve(ensemble, "exit"),
    ):
        said = _said(ax)
        assert "n = 8" in said
        assert "model results, not observations" in said


def test_a_title_is_the_label_of_the_outcome(ensemble: simlib.Ensemble) -> None:
    ax = simlib.plot.distribution(ensemble, "guards_end")
    assert ax.get_title(loc="left") == ensemble.labels["guards_end"]


def test_a_long_tail_is_cut_where_the_note_says(
    ensemble: simlib.Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.append(np.arange(999.0), 1e6)
    monkeypatch.setattr(simlib.Ensemble, "values", lambda *_: values)
    ax = simlib.plot.distribution(ensemble, "raids")
    assert ax.get_xlim()[1] < 1100
    assert "the axis ends at the 99 % quantile" in _said(ax)


def test_an_svg_for_a_page_keeps_its_text_and_has_ids_of_its_own(ensemble: simlib.Ensemble) -> None:
    one, other = (
        simlib.plot.svg(simlib.plot.fan(ensemble, "raid"), prefix) for prefix in ("one", "other")
    )
    assert one.startswith("<svg")
    assert ">Raid<" in one
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', one)) == ids[0]


def test_an_exit_curve_ends_at_the_share_that_is_censored(ensemble: simlib.Ensemble) -> None:
    ax = simlib.plot.exit_curve(ensemble, "exit")
    assert_labelled(ax, unit="(%)")
    censored = ensemble.outcomes["months_late"].isna().mean() * 100
    curve = np.asarray(ax.lines[0].get_ydata())
    assert curve[0] == 100
    assert curve[-1] == pytest.approx(censored)


def test_an_exit_curve_tells_options_apart_without_color() -> None:
    both = simlib.run(small(), options="all", replications=2, jobs=1)
    ax = simlib.plot.exit_curve(both, "exit")
    styles = {str(line.get_linestyle()) for line in ax.lines if np.size(line.get_xdata()) > 1}
    assert len(styles & {"-", "--"}) == 2


def test_a_timeline_has_a_lane_for_everyone() -> None:
    blueprint = simlib.assemble(watched(), agents=[Watcher])
    ax = simlib.plot.timeline(simlib.simulate(blueprint, 1))
    lanes = [label.get_text() for label in ax.get_yticklabels()]
    assert lanes[0].startswith("talks posture\napart")
    assert lanes[1:] == ["exit", "watcher"]
    assert ax.get_title(loc="left") == "Small, replication 1"


@pytest.mark.parametrize("width", [7, 10])
def test_the_text_of_a_posture_stays_in_its_bar(width: float) -> None:
    """Names of states do not run into one another, however narrow the figure is."""
    run = simlib.simulate(simlib.assemble(watched(), agents=[Watcher]), 1)
    share = (run.horizon - run.start) / 12
    states = [(run.start + i * share, ("harassment", "framework")[i % 2]) for i in range(12)]
    run = dataclasses.replace(run, postures={"a longer name of talks": tuple(states)})
    figure = Figure(figsize=(width, 4), layout="constrained")
    ax = simlib.plot.timeline(run, ax=figure.subplots())
    figure.draw_without_rendering()
    bars = [bar.get_window_extent() for bar in ax.patches]
    texts = [text for text in ax.texts if text.get_text()[:3] in ("har", "fra")]
    assert len(texts) == len(states)
    for text in (text.get_window_extent() for text in texts):
        assert any(bar.x0 <= text.x0 and text.x1 <= bar.x1 for bar in bars)


def test_figures_are_written_and_named(ensemble: simlib.Ensemble, tmp_path: Path) -> None:
    files = simlib.plot.figures(ensemble, tmp_path / "figures")
    names = {path.name for path in files}
    assert names == {
        "probabilities.png",
        "outcomes.png",
        "months-iraq.png",
        "months-syria.png",
        "exit-exit.png",
    }
    assert all(path.read_bytes().startswith(PNG) for path in files)


def _draw(ensemble: simlib.Ensemble, folder: Path, **how: Any) -> tuple[int, list[Path]]:
    found = simlib.plot.draw(ensemble, Output(folder, "figures"), **how)
    return found.n_new, found.files


def test_what_is_there_is_not_drawn_again(several: simlib.Ensemble, tmp_path: Path) -> None:
    """Only what was lost, changed, or drawn from other results is."""
    n, files = _draw(several, tmp_path)
    assert n == len(files) > 3
    times = {path: path.stat().st_mtime_ns for path in files}
    assert _draw(several, tmp_path) == (0, files)
    assert {path: path.stat().st_mtime_ns for path in files} == times
    files[0].unlink()
    assert _draw(several, tmp_path)[0] == 1
    assert _draw(several.of(several.options[0]), tmp_path)[0] == n
    (tmp_path / ".simlib-drawn").write_text("no")
    assert _draw(several, tmp_path)[0] == n


def test_workers_draw_what_one_process_draws(several: simlib.Ensemble, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    names = ["raids", "fatalities", "raid"]
    _, one = _draw(several, tmp_path / "one", names=names, kind="svg")
    _, two = _draw(
        several, tmp_path / "two", names=names, kind="svg", jobs=2,
        progress=lambda n_done, n_total: told.append((n_done, n_total)),
    )  # fmt: skip
    assert [path.name for path in two] == ["raids.svg", "fatalities.svg", "raid.svg"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_figure_of_no_such_name_is_told(several: simlib.Ensemble, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"no figure of that name \(got 'riads'\).*'raids'"):
        _draw(several, tmp_path, names=["riads"])
    with pytest.raises(StoreError, match=r"png, svg, pdf \(got gif\)"):
        _draw(several, tmp_path, kind="gif")


def test_no_text_of_a_page_is_cut_off(ensemble: simlib.Ensemble, tmp_path: Path) -> None:
    """Every title, tick and label lies inside its figure."""
    ax = simlib.plot.distribution(ensemble, "exit_class")
    figure = ax.figure
    assert isinstance(figure, Figure)
    figure.savefig(tmp_path / "one.png")
    width, height = figure.get_size_inches() * figure.dpi
    for text in (*ax.texts, ax.title, ax.xaxis.label, *ax.get_yticklabels()):
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_dollar_signs_of_names_and_units_are_drawn_as_they_are(tmp_path: Path) -> None:
    """Else matplotlib reads what stands between two of them as a formula, or fails to."""
    broken = "$\\frac{$"
    ax = new_figure(4, 3).subplots()
    ax.bar([1, 2], [1, 2], label=broken)
    ax.set_xlabel(broken)
    ax.set_xticks([1, 2], [broken, broken])
    ax.legend()
    dress(ax, broken, broken)
    save(ax, tmp_path / "dollars.png")
    assert ax.xaxis.label.get_text() == broken


def test_powers_of_a_log_axis_stay_raised(tmp_path: Path) -> None:
    """Those are matplotlib's own formulas."""
    ax = new_figure(4, 3).subplots()
    ax.set_xscale("log")
    save(ax, tmp_path / "powers.png")
    assert {label.get_parse_math() for label in ax.get_xticklabels()} == {True}
    assert {label.get_parse_math() for label in ax.get_yticklabels()} == {False}


def test_names_are_shown_as_words() -> None:
    assert words("isis_attack") == "ISIS attack"
    assert heading("turkiye_sdf.posture") == "Türkiye-SDF posture"
    assert heading("sohr_isis_syria") == "ISIS attacks in Syria (SOHR)"
    assert words("f16_available_end_2025") == "F-16 available end 2025"
    assert words("iraqi_strength_end_2026") == "Iraqi strength end 2026"


def test_figures_need_no_pyplot() -> None:
    code = "import sys, simlib.plot; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_installed_package_says_how_names_are_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "bazaar-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bazaar\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[simlib.spellings]\nown = spelled_by_bazaar:NAMES\n")
    (tmp_path / "spelled_by_bazaar.py").write_text('NAMES = {"ngo": "NGO"}\n')
    monkeypatch.syspath_prepend(tmp_path)
    assert words("ngo_attack") == "NGO attack"

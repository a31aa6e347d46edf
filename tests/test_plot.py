"""Figures return their axes, label them, and need neither pyplot nor a display."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

import simlib
from simlib.plot.style import dress, heading, new_figure, save, words
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


def test_a_fan_has_two_bands_a_median_and_a_legend(ensemble: simlib.Ensemble) -> None:
    ax = simlib.plot.fan(ensemble, "raid", "Iraq")
    assert_labelled(ax, unit="incidents per month")
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["5-95 %", "25-75 %", "median"]


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
        "outcomes-1.png",
        "months-iraq.png",
        "months-syria.png",
        "exit-exit.png",
    }
    assert all(path.read_bytes().startswith(PNG) for path in files)


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
    assert heading("turkiye_sdf.posture") == "Türkiye SDF posture"
    assert heading("sohr_isis_syria_2025") == "SOHR ISIS Syria 2025"
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

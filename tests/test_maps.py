"""Maps: each place has the colour of its number, on borders that results bring along."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.patches import PathPatch

import simlib
from simlib.errors import ScenarioError, StoreError
from simlib.plot import pages
from simlib.plot.map_values import in_windows, whole
from simlib.plot.place_maps import scale_of, state_page
from simlib.scenario import digest, load_text, map_outlines, resolve
from support.scenarios import ensemble_of, small

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> simlib.Ensemble:
    """Return six replications of the reference scenario under two options."""
    return simlib.run(
        "as_agreed", options=["as_agreed", "extend_12m"], replications=6, jobs=1,
        directory=tmp_path_factory.mktemp("mapped") / "out",
    )  # fmt: skip


@pytest.fixture(scope="module")
def agreed(results: simlib.Ensemble) -> simlib.Ensemble:
    """Return those of one option."""
    return results.of("as_agreed")


def _fills(ax: Axes, ensemble: simlib.Ensemble) -> dict[str, PathPatch]:
    """Return the patch of each area, in the order that areas are drawn in."""
    patches = [patch for patch in ax.patches if isinstance(patch, PathPatch)]
    return dict(zip(ensemble.manifest["map"]["areas"], patches, strict=True))


def test_each_area_has_the_color_of_its_mean(agreed: simlib.Ensemble) -> None:
    ax = simlib.plot.map(agreed, "isis_attack")
    monthly = agreed.monthly[agreed.monthly["type"] == "isis_attack"]
    mean = monthly.groupby("place")["count"].sum() / (6 * 36)
    (found,) = in_windows(agreed, "isis_attack", [whole(agreed)])
    scale = scale_of([found])
    for place, patch in _fills(ax, agreed).items():
        if place in found.values:
            assert found.values[place] == pytest.approx(mean.get(place, 0.0))
            assert same_color(patch.get_facecolor(), scale.color(mean.get(place, 0.0)))


def test_where_nothing_can_happen_is_hatched_and_nowhere_else(agreed: simlib.Ensemble) -> None:
    ax = simlib.plot.map(agreed, "isis_attack")
    where = agreed.manifest["map"]["where"]["isis_attack"]
    for place, patch in _fills(ax, agreed).items():
        assert bool(patch.get_hatch()) == (place not in where)


def test_a_map_says_unit_zero_replications_and_that_it_is_a_model(agreed: simlib.Ensemble) -> None:
    ax = simlib.plot.map(agreed, "isis_attack", during=("2025-01", "2025-12"))
    figure = ax.get_figure(root=True)
    assert figure is not None
    bar = figure.axes[1]
    assert bar.get_xlabel().startswith("incidents per month")
    assert bar.get_xlim()[0] == 0
    assert bar.get_xticklabels()[0].get_text() == "0"
    said = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert "n = 6" in said
    assert "model results, not observations" in said
    assert "2025-01 to 2025-12" in "".join(text.get_text() for text in ax.texts)


def test_the_probability_of_so_many_is_the_share_that_has_them(agreed: simlib.Ensemble) -> None:
    during = "2025-01", "2025-12"
    (found,) = in_windows(agreed, "turkish_strike", [during], 100)
    of_type = agreed.monthly[agreed.monthly["type"] == "turkish_strike"]
    in_year = of_type[of_type["month"].astype(str) < "2026"]
    counted = in_year.groupby(["replication", "place"])["count"].sum()
    for place, value in found.values.items():
        assert value == pytest.approx(100 * sum(counted.xs(place, level="place") >= 100) / 6)


def test_a_change_is_paired_and_centred_on_zero(results: simlib.Ensemble) -> None:
    after, before = results.of("extend_12m"), results.of("as_agreed")
    (found,) = in_windows(after, "isis_attack", [whole(after)], "total", before)
    totals = [each.place_counts()[0].mean(axis=0) for each in (before, after)]
    type_ = results.manifest["types"].index("isis_attack")
    expected = dict(zip(results.manifest["places"], (totals[1] - totals[0])[:, type_], strict=True))
    assert found.values == pytest.approx({place: expected[place] for place in found.values})
    scale = scale_of([found])
    assert scale.norm.vmin == -float(scale.norm.vmax or 0) < 0
    assert np.allclose(scale.color(0.0)[:3], 0.97, atol=0.02)


def test_quarters_stand_on_one_scale(agreed: simlib.Ensemble) -> None:
    figure = simlib.plot.maps(agreed, "isis_attack", by="year")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[:3] == ["2025", "2026", "2027"]
    assert len([ax for ax in figure.axes if ax.get_xlabel()]) == 1


def test_a_state_is_replayed_as_it_was(agreed: simlib.Ensemble) -> None:
    found = agreed.states("coalition.troops", "2027-12-31", 2)
    run = agreed.replay(0)
    places = run.layout.places_of("coalition.troops")
    at = [run.layout.index("coalition.troops", place) for place in places]
    assert found.unit == "persons"
    assert found.values.columns.tolist() == list(places)
    assert found.values.to_numpy()[0].tolist() == run.snapshots[-1, at].tolist()
    ax = simlib.plot.map(agreed, "coalition.troops")
    assert "replayed" in "".join(text.get_text() for text in ax.texts)


def test_the_change_of_a_state_is_paired(results: simlib.Ensemble) -> None:
    after, before = results.of("extend_12m"), results.of("as_agreed")
    (found,) = in_windows(after, "coalition.troops", [whole(after)], against=before)
    both = [each.states("coalition.troops", "2027-12-28").values for each in (before, after)]
    assert found.values == pytest.approx((both[1] - both[0]).mean().to_dict())
    assert any(found.values.values())
    assert "6 pairs on the same luck, replayed" in found.note


def test_states_of_the_scenario_stand_in_rows_with_a_scale_each(results: simlib.Ensemble) -> None:
    first, other = (results.of(option) for option in results.options)
    figure = state_page(first)
    labels = list(results.manifest["map"]["states"].values())
    titles = [title for ax in figure.axes if (title := ax.get_title(loc="left"))]
    assert titles[::4] == [f"{label}, 2025-01" for label in labels]
    assert titles[1:4] == ["2025-12", "2026-12", "2027-12"]
    assert len([ax for ax in figure.axes if ax.get_xlabel()]) == len(labels) > 1
    said = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert "mean of the first 6 of 6 replications, replayed" in said
    changed = [ax.get_title(loc="left") for ax in state_page(other, first).axes]
    assert changed[0].endswith(", 2025-12")
    assert changed[1:3] == ["2026-12", "2027-12"]


def test_states_are_drawn_with_a_run_where_a_tenth_of_it_is_replayed(
    results: simlib.Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "maps-states" not in pages.pages_of(results)
    assert "map-sdf.control-by-quarter" in pages.one_by_one(results)
    monkeypatch.setattr(pages, "REPLAYED", 0)
    assert {"maps-states", "maps-states-change-extend_12m"} <= set(pages.pages_of(results))
    monkeypatch.setattr(pages, "versions", lambda: {"source": "another"})
    assert "maps-states" not in pages.pages_of(results)


def test_several_options_at_once_have_no_map(results: simlib.Ensemble) -> None:
    with pytest.raises(ScenarioError, match=r"ensemble\.of\(OPTION\), of as_agreed, extend_12m"):
        simlib.plot.map(results, "isis_attack")


def test_an_unknown_name_and_an_empty_window_are_told(agreed: simlib.Ensemble) -> None:
    with pytest.raises(StoreError, match=r"did you mean 'sdf\.control'"):
        simlib.plot.map(agreed, "sdf.contro")
    with pytest.raises(ScenarioError, match="must hold a month of 2025-01 to 2027-12"):
        simlib.plot.map(agreed, "isis_attack", during=("2030-01", "2030-12"))
    with pytest.raises(ScenarioError, match="must be months"):
        simlib.plot.map(agreed, "isis_attack", during=("soon", "late"))


def test_results_without_borders_say_what_brings_them() -> None:
    with pytest.raises(StoreError, match="names no file of borders"):
        simlib.plot.map(ensemble_of(2), "raid")


def test_borders_are_no_part_of_what_is_simulated() -> None:
    scenario = simlib.load("as_agreed")
    again = load_text(resolve(scenario))
    assert scenario.borders is not None
    assert again.borders is None
    assert again == scenario
    assert digest(again) == digest(scenario)


SQUARES = {"North": (0, 1), "South": (0, 0)}


def _own_borders(folder: Path) -> Path:
    """Write two squares, one above the other, with a dent in the border that they share."""
    dent = [[1.0, 1.0], [0.6, 1.0], [0.5, 1.001], [0.4, 1.0], [0.0, 1.0]]
    rings = {
        "South": [[0.0, 0.0], [1.0, 0.0], *dent, [0.0, 0.0]],
        "North": [*dent[::-1], [1.0, 2.0], [0.0, 2.0], dent[-1]],
    }
    features = [
        {"properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for name, ring in rings.items()
    ]
    file = folder / "own.geojson"
    file.write_text(json.dumps({"features": features}), encoding="utf-8")
    return file


def _edges(area: dict[str, Any]) -> set[frozenset[tuple[float, float]]]:
    rings = (ring for polygon in area["polygons"] for ring in polygon)
    return {frozenset(pair) for ring in rings for pair in itertools.pairwise(map(tuple, ring))}


def test_a_border_is_the_same_on_both_sides_when_points_are_left_out(tmp_path: Path) -> None:
    scenario = small().model_copy(update={"borders": str(_own_borders(tmp_path))})
    places = {name: scenario.places[next(iter(scenario.places))] for name in SQUARES}
    found = map_outlines.map_of(scenario.model_copy(update={"places": places}))
    assert found is not None
    shared = _edges(found["areas"]["North"]) & _edges(found["areas"]["South"])
    assert shared == {frozenset({(0.0, 1.0), (1.0, 1.0)})}


@pytest.mark.parametrize("text", ["{}", '{"features": [1]}', "no"])
def test_what_is_no_geojson_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.geojson").write_text(text, encoding="utf-8")
    scenario = small().model_copy(update={"borders": str(tmp_path / "broken.geojson")})
    with pytest.raises(ScenarioError, match=r"broken\.geojson: must be GeoJSON"):
        map_outlines.map_of(scenario)

"""The report as a file: what it holds, what links to what, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import html
import importlib
import itertools
import re
from typing import TYPE_CHECKING

import pytest

import simlib
from simlib.ensemble import Ensemble
from simlib.errors import SimlibError, SimulationError, StoreError
from simlib.files import Output
from simlib.finding import Finding
from simlib.reporting import Report, companions, composing
from simlib.reporting.rendering import on_paper
from simlib.reporting.small_svg import ticks
from simlib.scenario import load_text, resolve
from support.agents import Watcher
from support.reports import HOSTILE, borders_in, hostile_results, results_of
from support.scenarios import TEXT, watched
from test_written_by_commands import call, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.analysis.comparison.comparison import Comparison


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results of two options."""
    return results_of(tmp_path_factory.mktemp("report") / "out")


@pytest.fixture(scope="module")
def page(results: Path) -> Report:
    """Return the report of two options."""
    return simlib.report(results)


def ids(text: str) -> list[str]:
    return re.findall(r'\bid="([^"]+)"', text)


def test_every_sentence_and_number_leads_to_its_row(page: Report) -> None:
    links = re.findall(r'href="#([^"]+)"', page.html)
    there = ids(page.html)
    assert len(there) == len(set(there))
    assert set(links) <= set(there)
    numbers = [link for link in links if link.startswith("row-")]
    rows = [each for each in there if each.startswith("row-")]
    assert sorted(numbers) == sorted(rows)


def test_the_page_asks_for_nothing_and_runs_no_more_than_its_own_script(page: Report) -> None:
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]+)"', page.html)[0])
    assert policy.startswith("default-src 'none'; ")
    for tag, kind in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert not re.findall(r'\b(?:src|style|on[a-z]+)="', page.html)
    assert not re.findall(r'href="(?!#)', page.html)


def test_the_same_results_have_the_same_page(results: Path, page: Report) -> None:
    assert simlib.report(simlib.open(results)).html == page.html


def test_sections_are_those_that_there_is_something_for(page: Report, tmp_path: Path) -> None:
    alone = simlib.report(simlib.run(watched(), replications=12, agents=[Watcher], jobs=1))
    assert {"options", "why", "exit"} <= set(ids(page.html))
    assert not {"options", "why", "beside"} & set(ids(alone.html))
    listed = re.findall(r'<li><a href="#([a-z]+)">', alone.html)
    assert listed == re.findall(r'<section id="([a-z]+)"', alone.html)


def test_histories_are_three_and_are_replayed_by_the_command_that_is_said(
    results: Path, page: Report
) -> None:
    commands = re.findall(r"<code>simlib (replay [^<]+)</code>", page.html)
    assert len(commands) == 3
    assert len(set(commands)) == 3
    for command in commands:
        replication = int(re.findall(r"--replication (\d+)", command)[0])
        replayed = simlib.open(results).replay(
            replication, option=command.split()[-1], agents=[Watcher]
        )
        assert replayed.replication == replication


def test_a_good_history_has_less_of_what_counts_than_a_bad_one(results: Path, page: Report) -> None:
    number = {
        kind: int(re.findall(rf"A {kind} one: replication (\d+)", page.html)[0])
        for kind in ("typical", "good", "bad")
    }
    first = simlib.open(results).of("as_planned").outcomes
    names = re.findall(r"ranks in ([^,]+), ", page.html)
    assert names == ["raids"]
    good, typical, bad = (first["raids"][number[k]] for k in ("good", "typical", "bad"))
    assert good < typical < bad


def test_a_folder_of_another_command_is_shown_and_what_is_left_out_is_counted(
    results: Path, tmp_path: Path
) -> None:
    lines = "".join(f"raids,{i},{i / 7}\r\n" for i in range(100))
    Output(tmp_path, "sensitivity").write("sobol.csv", f"outcome,i,first\r\n{lines}".encode())
    text = simlib.report(results, beside=[tmp_path]).html
    assert f"simlib sensitivity: {tmp_path.name}</h3>" in text
    assert "sobol.csv, 60 of 100 rows" in text
    assert f"--with {tmp_path}" in text


def test_a_comparison_is_reported_against_its_baseline(results: Path) -> None:
    comparison = simlib.compare(simlib.open(results), ["later", "as_planned"])
    text = simlib.report(comparison, beside=[comparison]).html
    assert "Effects against later" in text
    assert ">simlib effects</h3>" in text
    assert "effects.csv, " in text
    assert html.escape(comparison.sentences()[0]) in text
    assert re.findall(r"--option (\w+)</code>", text) == ["later"] * 3


def test_a_fork_of_results_has_their_maps_and_says_how_it_is_made(tmp_path: Path) -> None:
    scenario = load_text(TEXT).model_copy(update={"borders": borders_in(tmp_path)})
    ensemble = simlib.run(scenario, replications=12, directory=tmp_path / "out", jobs=1)
    where = tmp_path / "forked"
    forked = simlib.fork(ensemble, "2000-02-01", ["later"], jobs=1, directory=where)
    drawn = [simlib.open(each).manifest["map"] for each in (ensemble.path, where)]
    assert drawn[0] == drawn[1]
    forked.save(where / "comparison")
    page = html.unescape(simlib.report(where).html)
    made = "--at 2000-02-01 --replications 12 --root-seed 0 --option later"
    assert f"simlib fork small -o {where} {made}\n" in page
    assert "Each option against the scenario as written" in page
    assert f"<p>{forked.sentences()[0]}</p>" in page
    past = simlib.fork(scenario, "2000-02-01", ["later"], replications=2, jobs=1)
    assert "map" in past.ensemble.manifest


def test_a_table_of_parameters_says_what_each_rests_on(results: Path, tmp_path: Path) -> None:
    table = "outcome,group,first\r\nraids,raids,0.7\r\nraids,chance,0.2\r\n"
    Output(tmp_path, "sensitivity").write("sobol.csv", table.encode())
    text = simlib.report(results, beside=[tmp_path]).html
    first, then = (
        f'<td class="num" data-v="{cell}">{float(cell):.3f}</td>' for cell in ("0.7", "0.2")
    )
    assert f"<td>raids</td><td>raids</td><td>judgement</td>{first}" in text
    assert f"<td>raids</td><td>chance</td><td></td>{then}" in text


def test_a_folder_without_tables_is_refused(results: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no table that a command wrote"):
        simlib.report(results, beside=[tmp_path])


@pytest.fixture(scope="module")
def compared(results: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Path]:
    """Return a comparison, and the folder that it was saved in."""
    comparison = simlib.compare(simlib.open(results), ["as_planned", "later"])
    folder = tmp_path_factory.mktemp("analysis") / "effects"
    comparison.save(folder)
    return comparison, folder


def test_the_folder_of_an_analysis_has_a_report_of_its_own(
    compared: tuple[Comparison, Path],
) -> None:
    comparison, folder = compared
    assert f"report: {folder / 'report.html'}, " in call("report", folder)
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert call("report", folder)
    assert (folder / "report.html").read_text(encoding="utf-8") == text
    for sentence in comparison.sentences():
        assert f"<p>{html.escape(sentence)}</p>" in text
    drawn = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', text)
    assert [name for _, name in drawn] == ["effects-later"]
    assert base64.b64decode(drawn[0][0]).startswith(b"\x89PNG")
    rows = re.findall(r"<tr><td>", text)
    assert len(rows) == len(comparison.table())
    listed = re.findall(r'<li><a href="#([a-z0-9-]+)">', text)
    assert listed == ["found", "found-1-1", "made"]
    assert set(listed) <= set(ids(text))
    assert "default-src 'none'; img-src data:; " in html.unescape(text)


def test_a_finding_has_the_report_that_its_folder_has(compared: tuple[Comparison, Path]) -> None:
    comparison, folder = compared
    explained = simlib.report(comparison.ensemble.of("later"), beside=[folder]).html
    assert html.escape(comparison.sentences()[0]) in explained
    alone = simlib.report(_Alone(comparison)).html
    kept = simlib.report(folder).html
    both = [re.findall(r"<p>.*?</p>|<tr>.*?</tr>|<img .*?>", text) for text in (alone, kept)]
    assert both[0] == both[1]
    assert len(both[0]) > 5


class _Alone(Finding):
    """What another finding says."""

    stem = "effects"

    def __init__(self, of: Finding) -> None:
        self._of = of

    def sentences(self) -> Sequence[str]:
        """Say what it says."""
        return self._of.sentences()

    def table(self) -> pd.DataFrame:
        """Return its table."""
        return self._of.table()

    def figures(self) -> Mapping[str, Callable[[], Axes | Figure]]:
        """Return its figures."""
        return self._of.figures()


def test_figures_that_a_page_has_no_room_for_are_counted(
    compared: tuple[Comparison, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(companions, "MOST_PICTURED", 1000)
    text = simlib.report(compared[1]).html
    assert "<img" not in text
    assert "0 of 1 figures are shown here" in text


def test_a_hostile_analysis_is_shown_escaped_and_a_broken_picture_is_told(tmp_path: Path) -> None:
    output = Output(tmp_path, "diff")
    output.write("gaps.txt", HOSTILE.encode())
    quoted = HOSTILE.replace('"', '""')
    output.write("gaps.csv", f'name,=1+1\r\n"{quoted}",0.5\r\n'.encode())
    text = simlib.report(tmp_path).html
    assert text.count("<script>") == 1
    assert "<b>bold" not in text
    assert not {"\x1b", "\u202e"} & set(text)
    output.write("gap.png", b"no picture")
    with pytest.raises(StoreError, match=r"gap\.png: is no picture"):
        simlib.report(tmp_path)


def test_results_that_all_failed_are_refused(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ensemble, "n_failed", property(lambda self: self.n))
    with pytest.raises(SimulationError, match="there is nothing to report"):
        simlib.report(results)


def test_a_hostile_scenario_is_shown_escaped(tmp_path: Path) -> None:
    text = simlib.report(hostile_results(tmp_path / "out")).html
    assert "<b>bold" not in text
    assert "<script>alert" not in text
    assert text.count("<script>") == 1
    assert not {"\x1b", "\u202e", "\u2066"} & set(text)
    assert HOSTILE.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd") in html.unescape(text)


def test_the_command_writes_beside_the_results_and_replaces_only_its_own(results: Path) -> None:
    where = results / "report.html"
    assert f"report: {where}, " in call("report", results)
    call("report", results)
    where.write_text("mine", encoding="utf-8")
    refused("report", results, match="is not what this command wrote")
    assert where.read_text(encoding="utf-8") == "mine"
    call("report", results, "--force")
    assert simlib.open(results).verify().is_whole


def test_another_suffix_is_refused_before_anything_is_worked_out(tmp_path: Path) -> None:
    with pytest.raises(SimlibError, match=r"must end in \.html or \.pdf"):
        call("report", tmp_path / "nothing", "-o", tmp_path / "page.txt")


def test_pdf_without_weasyprint_is_one_clear_line(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    composing.weasyprint.cache_clear()
    monkeypatch.setattr(importlib, "import_module", missing)
    refused("report", results, "-o", tmp_path / "page.pdf", match=r"simlib-scenarios\[pdf\]")
    assert not (tmp_path / "page.pdf").exists()


def test_pdf_is_on_a4_and_holds_the_answer(results: Path, tmp_path: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    pytest.importorskip("weasyprint")
    call("report", results, "-o", tmp_path / "page.html", "--pdf")
    printed = pdfium.PdfDocument(tmp_path / "page.pdf")
    texts = [each.get_textpage().get_text_range() for each in printed]
    assert {tuple(map(round, each.get_size())) for each in printed} == {(595, 842)}
    assert "The answer" in texts[0]
    assert all(text.strip() for text in texts)


def test_an_analysis_is_printed_with_its_figures(
    compared: tuple[Comparison, Path], tmp_path: Path
) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    pytest.importorskip("weasyprint")
    call("report", compared[1], "-o", tmp_path / "page.pdf")
    objects = [each for page in pdfium.PdfDocument(tmp_path / "page.pdf")
               for each in page.get_objects()]  # fmt: skip
    assert any(each.type == pdfium.raw.FPDF_PAGEOBJ_IMAGE for each in objects)


def test_ticks_are_round_and_few() -> None:
    assert ticks(0.0, 1.0) == [0.0, 0.5, 1.0]
    assert ticks(-3.0, 17.0) == [0.0, 5.0, 10.0, 15.0]
    assert ticks(2.0, 2.0) == [2.0]


def test_a_scenario_in_which_nobody_decides_has_a_report() -> None:
    text = simlib.report(simlib.run(load_text(TEXT), replications=5, jobs=1)).html
    assert "asks for 30 replications or more; there are 5" in text


def _colors(sheet: str) -> dict[str, str]:
    """Return the colour of each area of a sheet's first map."""
    (drawn, *_) = re.findall(r'<svg class="map".*?</svg>', sheet, re.DOTALL)
    groups = re.findall(r'<g class="area (\w+)">(.*?)</g>', drawn)
    names = ("North", "South", "East")
    return {
        name: color for color, uses in groups for i, name in enumerate(names) if f"#a{i}" in uses
    }


def test_a_map_has_the_color_of_each_place_and_the_table_its_number(tmp_path: Path) -> None:
    borders_in(tmp_path)
    text = TEXT.replace("state:\n", "borders: squares.geojson\nstate:\n", 1)
    (tmp_path / "small.yaml").write_text(text, encoding="utf-8")
    scenario = simlib.load(tmp_path / "small.yaml")
    options = ["as_planned", "later"]
    ensemble = simlib.run(scenario, options=options, replications=30, jobs=1)
    page = simlib.report(ensemble).html
    sheets = re.findall(r'<div class="sheet".*?</details>', page, re.DOTALL)
    assert len(sheets) == 2
    patrols, raids = sorted(sheets, key=lambda sheet: "Raid" in sheet)
    # Most is darkest, and in one place nothing can happen.
    assert _colors(patrols) == {"North": "q5", "South": "none", "East": "q3"}
    assert _colors(raids) == {"North": "q5", "South": "q4", "East": "q3"}
    quarters = re.findall(r"<figcaption>(\d{4} Q\d)</figcaption>", raids)
    assert quarters == ["2000 Q1", "2000 Q2"]
    mean = ensemble.of("as_planned").monthly.query("type == 'raid' and place == 'South'")["count"]
    (said,) = re.findall(r'<th scope="row">South</th><td class="num">([\d.]+)', raids)
    assert float(said) == pytest.approx(mean.sum() / 30 / 6, abs=0.005)
    assert "Nothing changes anywhere" in raids


def test_states_that_cannot_be_replayed_are_told(tmp_path: Path) -> None:
    text = resolve(watched()).replace("unit: persons", "unit: persons, map: Guards", 1)
    scenario = load_text(text)
    assert scenario.state["guards"].map == "Guards"
    scenario = scenario.model_copy(update={"borders": borders_in(tmp_path)})
    ensemble = simlib.run(scenario, replications=5, agents=[Watcher], jobs=1)
    text = simlib.report(ensemble).html
    assert "How states stand is not drawn: give the agents that were added: watcher." in text
    assert '<optgroup label="How it stands">' not in text


def test_a_border_is_drawn_whole_where_its_line_comes_by_a_point_again(tmp_path: Path) -> None:
    scenario = load_text(TEXT).model_copy(update={"borders": borders_in(tmp_path)})
    text = simlib.report(simlib.run(scenario, replications=5, jobs=1)).html
    (borders,) = re.findall(r'<path id="borders" d="([^"]+)"', text)
    lines = [line.split("L") for line in borders.split("M") if line]
    edges = {frozenset(pair) for line in lines for pair in itertools.pairwise(line)}
    # Three squares in a row: eight edges around them, one between two countries.
    assert len(edges) == 9


def test_a_picture_on_paper_needs_nothing_of_the_page(tmp_path: Path) -> None:
    outline = '<svg class="outlines"><path id="a0" d="M0 0h9v9z"/></svg>'
    group = '<g class="area q1"><use href="#a0"/></g>'
    used = f'<svg class="map" viewBox="0 0 9 9">{group}</svg>'
    printed = on_paper(outline + used)
    assert "<use" not in printed
    assert '<path d="M0 0h9v9z" class="area q1"/>' in printed
    assert ".q1 { color: #c9dcec; }" in printed
    assert "var(" not in printed


def test_the_reference_scenario_under_three_options_has_at_most_a_megabyte() -> None:
    options = ["as_agreed", "extend_12m", "leave_early"]
    page = simlib.report(simlib.run("as_agreed", options=options, replications=8, jobs=1))
    assert 200_000 < page.size <= 1_000_000
    states = re.findall(r'<div class="sheet" id="s-\d".*?</details>', page.html, re.DOTALL)
    assert [re.findall(r"<h3>(.*?)</h3>", each)[0] for each in states][1] == "Coalition troops"
    for sheet in states:
        assert "mean of the first 8 of 8 replications, replayed" in sheet
        assert len(re.findall(r"<figcaption>\d{4} Q\d</figcaption>", sheet)) == 12
    (answered,) = re.findall(r'<section id="answer".*?</section>', page.html, re.DOTALL)
    said = re.findall(r'<p class="said">.*?</p>', answered)
    assert len(said) > 5
    assert all('<a class="ref" href="#' in each for each in said)

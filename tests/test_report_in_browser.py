"""The report in a real browser without network: by keyboard, in axe's judgement, on paper."""

from __future__ import annotations

import csv
import io
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import simlib
from simlib.scenario import load_text
from support.reports import HOSTILE, borders_in, hostile_results, results_of
from support.scenarios import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a headless Chromium; where there is none, these tests are skipped."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    # Chromium refuses its own sandbox to root; no name is looked up, whatever a page says.
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND"]
    arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=arguments)


@dataclass
class Seen:
    """A page that is open, what it asked for and what it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        """Keep what the console is told, but for what is only said."""
        if said.type in {"error", "warning"}:
            self.complaints.append(said.text)


def opened(browser: Browser, file: Path, **how: Any) -> Seen:
    """Open a file in a context of its own that is offline."""
    context = browser.new_context(offline=True, **how)
    seen = Seen(context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("console", seen.hear)
    seen.page.goto(file.as_uri())
    return seen


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of two options."""
    folder = tmp_path_factory.mktemp("browser")
    return simlib.report(results_of(folder / "out")).save(folder / "report.html")


@pytest.fixture(scope="module")
def analysis(file: Path) -> Path:
    """Return the report of a comparison's folder."""
    folder = file.parent / "effects"
    simlib.compare(simlib.open(file.parent / "out"), ["as_planned", "later"]).save(folder)
    return simlib.report(folder).save(folder / "report.html")


def test_areas_of_a_map_have_the_color_that_its_key_has(browser: Browser, tmp_path: Path) -> None:
    scenario = load_text(TEXT).model_copy(update={"borders": borders_in(tmp_path)})
    report = simlib.report(simlib.run(scenario, replications=30, jobs=1))
    page = opened(browser, report.save(tmp_path / "report.html")).page
    drawn = page.locator("svg.map").first
    # The pixels amid the first area, which has most, and amid the last colour of the key.
    image = Image.open(io.BytesIO(drawn.screenshot())).convert("RGB")
    width, height = image.size
    area = image.getpixel((round(width / 6), round(0.4 * height)))
    key = page.evaluate("getComputedStyle(document.querySelector('svg.map > path.area.q5')).fill")
    assert f"rgb{area}" == key


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def column(page: Page, number: int) -> list[str]:
    cells: list[str] = page.eval_on_selector_all(
        f"#whole tbody tr:not([hidden]) > :nth-child({number})",
        "cells => cells.map(cell => cell.dataset.v === undefined ? cell.textContent : "
        "cell.dataset.v)",
    )
    return cells


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_request_leaves_and_nothing_is_complained_of(
    browser: Browser, file: Path, scheme: str
) -> None:
    seen = opened(browser, file, color_scheme=scheme)
    seen.page.get_by_label("Outcome", exact=True).select_option(index=2)
    seen.page.get_by_role("button", name="median").click()
    assert seen.requests == [file.as_uri()]
    assert seen.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_of_an_analysis_is_as_quiet_and_its_pictures_are_seen(
    browser: Browser, analysis: Path, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": 360, "height": 800}
    seen = opened(browser, analysis, color_scheme=scheme, viewport=size)
    seen.page.get_by_role("button", name="outcome").first.press("Enter")
    widths = seen.page.eval_on_selector_all("img", "all => all.map(each => each.naturalWidth)")
    assert widths
    assert all(width > 100 for width in widths)
    assert [request for request in seen.requests if not request.startswith("data:image/png")] == [
        analysis.as_uri()
    ]
    assert seen.complaints == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 360
    found = Axe().run(seen.page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in {"serious", "critical"}] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_axe_has_no_serious_finding(browser: Browser, file: Path, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": width, "height": 900}
    seen = opened(browser, file, color_scheme=scheme, viewport=size)
    seen.page.eval_on_selector_all("details", "all => all.forEach(each => { each.open = true; })")
    found = Axe().run(seen.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found
            if each["impact"] in {"serious", "critical"}] == []  # fmt: skip


def test_a_telephone_scrolls_in_tables_only(browser: Browser, file: Path) -> None:
    seen = opened(browser, file, viewport={"width": 360, "height": 800})
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_table_is_sorted_by_keyboard(browser: Browser, file: Path) -> None:
    page = opened(browser, file).page
    page.get_by_role("button", name="n", exact=True).focus()
    press(page, "Shift+Tab", "Enter")
    head = page.locator('#whole th[data-head="95 %"]')
    assert head.get_attribute("aria-sort") == "ascending"
    up = column(page, 12)
    numbers = [float(value) for value in up if value]
    assert numbers == sorted(numbers)
    assert up[len(numbers) :] == [""] * (len(up) - len(numbers))
    press(page, "Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(value) for value in column(page, 12) if value] == numbers[::-1]
    assert page.locator("#whole th[aria-sort=ascending]").count() == 0


def test_the_filter_narrows_the_table_and_the_download_is_what_is_shown(
    browser: Browser, file: Path
) -> None:
    page = opened(browser, file).page
    everything = len(column(page, 1))
    page.get_by_label("Only rows with").fill("raids later")
    names = column(page, 15)
    assert page.get_by_role("status").text_content() == f"{len(names)} of {everything} rows"
    assert set(names) == {"raids", "raids_iraq_spring", "fatalities"} - {"fatalities"}
    with page.expect_download() as waited:
        page.get_by_role("button", name="Download as CSV").press("Enter")
    assert waited.value.suggested_filename == "small.csv"
    text = waited.value.path().read_text(encoding="utf-8")
    heads, *rows = list(csv.reader(io.StringIO(text)))
    assert heads[-1] == "name"
    assert [row[-1] for row in rows] == names
    table = simlib.open(file.parent / "out").of("later").table().set_index("outcome")
    assert float(rows[0][heads.index("median")]) == table.loc["raids", "q50"]


def test_one_distribution_is_shown_by_a_native_list(browser: Browser, file: Path) -> None:
    page = opened(browser, file).page
    page.get_by_label("Outcome", exact=True).focus()
    press(page, "ArrowDown", "ArrowDown")
    shown = page.locator("#chosen > figure:visible")
    assert shown.count() == 1
    assert shown.get_attribute("id") == page.locator("#choice").input_value()
    assert shown.get_by_role("img").get_attribute("aria-label") == "Fatalities"


def test_a_link_to_a_row_shows_it_whatever_the_filter_says(browser: Browser, file: Path) -> None:
    page = opened(browser, file).page
    page.get_by_label("Only rows with").fill("nothing has these words")
    assert column(page, 1) == []
    page.locator("#follows td a").first.press("Enter")
    page.locator("#whole tr:target").wait_for(state="visible")
    assert len(column(page, 1)) > 1


def test_without_script_everything_is_there(browser: Browser, file: Path) -> None:
    page = opened(browser, file, java_script_enabled=False).page
    assert page.locator("#chosen > figure:visible").count() > 1
    assert page.locator(".control:visible").count() == 0


def test_it_prints_on_a4(browser: Browser, file: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    page = opened(browser, file).page
    printed = pdfium.PdfDocument(page.pdf(prefer_css_page_size=True))
    texts = [each.get_textpage().get_text_range() for each in printed]
    assert {tuple(map(round, each.get_size())) for each in printed} == {(595, 842)}
    assert all(text.strip() for text in texts)
    assert "How it was made" in " ".join(texts)
    # The head of the whole table stands on each of its pages.
    assert "Carlo" in texts[-1]


def test_a_hostile_scenario_is_inert(browser: Browser, tmp_path: Path) -> None:
    where = simlib.report(hostile_results(tmp_path / "out")).save(tmp_path / "report.html")
    seen = opened(browser, where)
    called: list[str] = []
    seen.page.on("dialog", lambda dialog: called.append(dialog.message))
    shown = HOSTILE.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd")
    assert shown in (seen.page.locator(".lead").text_content() or "")
    assert seen.page.locator("b, script").count() == 1
    assert (called, seen.complaints, seen.requests) == ([], [], [where.as_uri()])


def test_axe_does_find_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    """Negative control: a picture without a name is found."""
    from axe_playwright_python.sync_playwright import Axe

    where = tmp_path / "wrong.html"
    where.write_text("<html><body><svg role='img'></svg></body></html>", encoding="utf-8")
    found = Axe().run(opened(browser, where).page).response["violations"]
    assert any(each["impact"] in {"serious", "critical"} for each in found)

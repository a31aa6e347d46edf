"""What a report holds, section by section, and the file it becomes."""

from __future__ import annotations

import functools
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib._version import __version__
from simlib.analysis.comparison.comparison import Comparison
from simlib.ensemble import Ensemble, open_results
from simlib.ensemble.store import MANIFEST
from simlib.errors import StoreError
from simlib.files import write_file
from simlib.files.outputs import RECORD
from simlib.finding import Finding
from simlib.reporting.companions import companions_in, companions_of
from simlib.reporting.rendering import on_paper, rendered
from simlib.reporting.sections import Material

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

SECTIONS = (
    ("answer", "The answer", ""),
    ("follows", "Outcomes by topic", ""),
    ("maps", "Where", "maps"),
    ("exit", "When it ends", "exits"),
    ("distributions", "How outcomes are spread", ""),
    ("options", "Options compared", "comparison"),
    ("why", "Why they differ", "comparison"),
    ("numbers", "Which numbers matter", ""),
    ("histories", "Three histories", ""),
    ("beside", "Other analyses", "companions"),
    ("limits", "Limits", ""),
    ("made", "How it was made", ""),
    ("table", "The whole table", ""),
)
"""Sections of the page: anchor, name, and what must be there for it."""


@dataclass(frozen=True)
class Report:
    """A report as one HTML page.

    Attributes
    ----------
    name
        The scenario it is of.
    html
        The page.
    """

    name: str
    html: str

    def __repr__(self) -> str:
        return f"<Report {self.name}: {self.size:,} bytes>"

    @property
    def size(self) -> int:
        """Bytes of the page."""
        return len(self.html.encode())

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the page, or where the name ends in .pdf the page on paper.

        Parameters
        ----------
        path
            A name that ends in .html or .pdf.
        overwrite
            Replace another file that is there.

        Raises
        ------
        StoreError
            The name ends otherwise, another file is there or it cannot be written; or the
            extra ``pdf`` (WeasyPrint) is not installed.
        """
        file = Path(path)
        write_file(file, self.bytes_of(file), force=overwrite)
        return file

    def bytes_of(self, path: Path) -> bytes:
        """The content of a file of that name: the page, or the page on paper."""
        return self.html.encode() if kind_of_report(path) == ".html" else self.pdf()

    def pdf(self) -> bytes:
        """The page on A4 paper, as PDF.

        Raises
        ------
        StoreError
            The extra ``pdf`` (WeasyPrint) is not installed.
        """
        printer = weasyprint()
        # Nothing is fetched: the page holds all that it shows, its pictures as `data:`.
        own = printer.urls.URLFetcher(allowed_protocols=("data",))
        page = printer.HTML(string=on_paper(self.html), url_fetcher=own)
        printed: bytes = page.write_pdf()
        return printed


def report(
    results: Finding | str | os.PathLike[str],
    *,
    beside: Sequence[Finding | str | os.PathLike[str]] = (),
) -> Report:
    """Tell what results say, as one HTML page that needs no network.

    Parameters
    ----------
    results
        An ensemble, or the directory of one, whose options are compared with the first; a
        comparison, whose options are compared with its baseline; or any other finding, or
        the folder of tables that a command wrote with ``-o``: its sentences, figures and
        tables.
    beside
        What other analyses found, such as a sensitivity, or folders of tables that commands
        wrote with ``-o``: they are shown too, as are those in folders of the results' own.

    Raises
    ------
    StoreError
        There are no results, or no tables in a folder.
    SimulationError
        Every replication failed.
    """
    source = results if isinstance(results, Finding) else Path(results)
    given = [each if isinstance(each, Finding) else Path(each) for each in beside]
    if _is_analysis(source):
        return _analysis_report(source, given)
    ensemble = _ensemble_of(source)
    material = Material(ensemble, [each for each in given if isinstance(each, Path)])
    companions = companions_of(ensemble.path, given, material.grades)
    contents = {**material.contents(), "companions": companions, "version": __version__}
    there = [(anchor, name) for anchor, name, key in SECTIONS if not key or contents[key]]
    page = rendered("report.html.j2", {**contents, "contents": there})
    return Report(ensemble.name, page)


def _is_analysis(source: Finding | Path) -> bool:
    """Whether it is what an analysis found, and no results."""
    if isinstance(source, Path):
        return (source / RECORD).is_file() and not (source / MANIFEST).exists()
    return not isinstance(source, (Ensemble, Comparison))


def _analysis_report(source: Finding | Path, beside: Sequence[Finding | Path]) -> Report:
    companions = companions_in(source, is_alone=True)
    name = companions[0].folder or companions[0].command
    companions += [each for other in beside for each in companions_in(other)]
    folders = [shlex.quote(str(each)) for each in (source, *beside) if isinstance(each, Path)]
    anchors = [
        (f"found-{i}-{j}", table.file)
        for i, each in enumerate(companions, start=1)
        for j, table in enumerate(each.tables, start=1)
    ]
    contents = {
        "title": name,
        "companions": companions,
        "version": __version__,
        "command": " --with ".join(folders and [f"simlib report {folders[0]}", *folders[1:]]),
        "contents": [("found", "What was found"), *anchors, ("made", "How it was made")],
    }
    return Report(name, rendered("analysis.html.j2", contents))


def _ensemble_of(results: Finding | Path) -> Ensemble:
    if isinstance(results, Path):
        return open_results(results)
    if isinstance(results, Comparison):
        return Ensemble(results.ensemble.directory, (results.baseline, *results.options))
    assert isinstance(results, Ensemble)  # noqa: S101  (all others are reported alone)
    return results


def kind_of_report(path: Path) -> str:
    """The suffix of a report's file.

    Raises
    ------
    StoreError
        It is neither .html nor .pdf.
    """
    kind = path.suffix.lower()
    if kind not in {".html", ".pdf"}:
        raise StoreError(f"{path}: must end in .html or .pdf")
    return kind


@functools.cache
def weasyprint() -> Any:
    """The library that prints pages.

    Raises
    ------
    StoreError
        The extra ``pdf`` is not installed.
    """
    import importlib

    try:
        return importlib.import_module("weasyprint")
    except (ImportError, OSError) as error:
        # Without the libraries of Pango it is installed, but cannot be loaded.
        raise StoreError(
            "a report as PDF needs WeasyPrint: pip install 'simlib-scenarios[pdf]' "
            "(or print the HTML page from a browser)"
        ) from error

"""The command that tells what results say, as one page for a browser or on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from simlib.cli import completion
from simlib.cli.app import Force, app, examples
from simlib.cli.streams import say
from simlib.files import Output, refuse_unwritable, write_file

_NAME = "report.html"
Paper = Annotated[bool, Option("--pdf", help="Print it to a PDF too; needs the extra pdf.")]


@app.command(
    epilog=examples(
        "simlib report out/",
        "simlib report out/ -o report.html",
        "simlib report out/ --with out/sensitivity --with out/diff",
        "simlib report out/diff",
        "simlib report out/ --pdf",
    )
)
def report(
    results: Annotated[
        Path,
        Argument(
            help="A results directory, or a folder that a command wrote with -o.",
            autocompletion=completion.results,
        ),
    ],
    output: Annotated[
        Path | None,
        Option("-o", "--output", help="The file, .html or .pdf; in RESULTS by default."),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        Option("--with", metavar="DIR", help="What another command wrote too; may be repeated."),
    ] = None,
    pdf: Paper = False,  # noqa: FBT002
    force: Force = False,  # noqa: FBT002
) -> None:
    """Write one HTML file that needs no network: the answer, why, and what it rests on."""
    from simlib.reporting import composing

    first = output or results / _NAME
    files = [first]
    if pdf and composing.kind_of_report(first) != ".pdf":
        files.append(first.with_suffix(".pdf"))
    # What cannot be written is said before anything is worked out.
    if any(composing.kind_of_report(file) == ".pdf" for file in files):
        composing.weasyprint()
    refuse_unwritable(*files, inputs=[results])
    page = composing.report(results, beside=beside or ())
    for file in files:
        data = page.bytes_of(file)
        if output is None:
            # Beside the results it is simlib's own, and follows them.
            Output(results, "report", force).write(file.name, data)
        else:
            write_file(file, data, force=force)
        say(f"report: {file}, {len(data):,} bytes")

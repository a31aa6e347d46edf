"""Outcome tables and decisions as text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from simlib.cli.text import clean, say
from simlib.journal import to_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simlib.ensemble import Ensemble
    from simlib.journal import Run
    from simlib.scenario.schema import Scenario
    from simlib.statistics.summaries import Summary


def show_tables(ensemble: Ensemble) -> None:
    """Print the outcome table of each option, and the result digest."""
    for option in ensemble.options:
        part = ensemble.of(option)
        title = f"{ensemble.name}{f', {option}' if option else ''}"
        count = f"{part.n - part.n_failed:,} of {part.n:,} replications"
        _show(f"{title}: {count}, root seed {ensemble.root_seed}", list(part.summaries()))
    say(f"digest: {ensemble.digest}")


def show_committee(scenario: Scenario) -> None:
    """Print the committee's answer at the mean of its grounds, and how much is prior."""
    if "committee.pi" not in scenario.parameters or "committee" not in scenario.agents:
        return
    from simlib.theatre.questions.committee_choices import answer_at_zero, share_due_to_pi

    answer = sorted(answer_at_zero(scenario, 1000).items(), key=lambda item: -item[1])
    classes = ", ".join(f"{name.replace('_', ' ')} {p:.2f}" for name, p in answer)
    say(f"committee with every ground at its mean: {classes}")
    share = share_due_to_pi(scenario)
    say(
        f"{share:.0%} of the variance of P(extension) is due to how deadlines end in general, "
        "which rests on three past ones; most of the rest is judgement too"
    )


_WIDE = 120
"""Columns of a terminal that hold the whole table."""
_HEAD = ("outcome", "unit", "estimate", "5 %", "median", "95 %", "n")


def _show(title: str, rows: Sequence[Summary]) -> None:
    cells = [_cells(row) for row in rows]
    note = "± Monte Carlo standard error; probabilities with Wilson 95 % interval"
    if sys.stdout.isatty():
        _show_rich(title, cells, note)
        return
    say(title)
    widths = [max(map(len, column)) for column in zip(_HEAD, *cells, strict=True)]
    for line in (_HEAD, *cells):
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    say(note)


def _show_rich(title: str, cells: list[tuple[str, ...]], note: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    left_out = {"unit", "median"} if console.width < _WIDE else set()
    table = Table(title=Text(title), caption=Text(note), box=SIMPLE_HEAD, title_justify="left")
    for name in _HEAD:
        if name == "outcome":
            table.add_column(name, overflow="fold", min_width=20)
        elif name not in left_out:
            table.add_column(name, justify="left" if name == "unit" else "right", no_wrap=True)
    for line in cells:
        shown = zip(_HEAD, line, strict=True)
        table.add_row(*(Text(cell) for name, cell in shown if name not in left_out))
    console.print(table)


def _cells(row: Summary) -> tuple[str, ...]:
    from simlib.statistics.formatting import number

    name = f"{row.outcome} = {row.category}" if row.category else row.outcome
    spread = [number(q) if row.kind == "number" else "" for q in (row.q05, row.q50, row.q95)]
    n = f"{row.n:,}" + (f" ({row.n_censored:,} open)" if row.n_censored else "")
    unit = row.unit if row.kind == "number" else "probability"
    return tuple(clean(cell) for cell in (name, unit, row.shown, *spread, n))


def decision_lines(run: Run) -> Iterator[str]:
    """Iterate over the decisions of a run, a line each, with what woke the agent."""
    for decision in run.decisions:
        date = to_date(decision.time)
        place = f" in {decision.place}" if decision.place else ""
        value = "" if decision.value != decision.value else f" {decision.value:g}"
        yield (
            f"{date}  {decision.agent}: {decision.name}{place}: {decision.taken}{value} "
            f"(probability {decision.probability:.3g}; woken by {decision.cause})"
        )

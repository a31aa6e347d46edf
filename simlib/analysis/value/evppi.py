"""Every unknown valued, for every loss and date, by itself and beside what is reported."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simlib.analysis.value.informing import Learning
from simlib.analysis.value.threads import one_thread
from simlib.analysis.value.valuing import (
    Worth,
    chosen,
    differences,
    inputs_of,
    predicted,
    value_of_everything,
    without_learning,
    worth,
)
from simlib.ensemble.map_runs import map_runs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simlib.ensemble.execution import Execution
    from simlib.ensemble.map_runs import Arrays

REPORTS = "reports to that date"
EVERYTHING = "everything, luck included"


@dataclass(frozen=True, slots=True)
class Sample:
    """What regressions are fitted on.

    Attributes
    ----------
    losses
        By loss and date, shape (n, n_options).
    drawn
        By parameter, shape (n,).
    groups
        Names of parameters by group.
    reports
        What is known at each date, as columns, shape (n, k).
    """

    losses: dict[tuple[str, dt.date], NDArray[np.float64]]
    drawn: dict[str, NDArray[np.float64]]
    groups: dict[str, tuple[str, ...]]
    reports: dict[dt.date, NDArray[np.float64]]
    folds: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Valuation:
    """What is shared by the valuation of all unknowns; rows are unknowns.

    Attributes
    ----------
    losses, before, informed
        For every loss and date: losses, and what is chosen without learning and by reports.
    columns
        Columns of the targets that belong to it.
    mean, said
        Mean differences of loss, shape (n_targets,), and how reports say that they vary,
        shape (n, n_targets).
    targets
        Differences of loss, and what reports leave of them, (`FOLDS`, n, 2 n_targets).
    unknowns
        What may be learnt, shape (n,) or (n, k).
    """

    losses: tuple[NDArray[np.float64], ...]
    before: tuple[int, ...]
    informed: tuple[NDArray[np.intp], ...]
    columns: tuple[slice, ...]
    mean: NDArray[np.float64]
    said: NDArray[np.float64]
    targets: NDArray[np.float64]
    unknowns: tuple[NDArray[np.float64], ...]
    folds: NDArray[np.intp]


def value_all(sample: Sample, execution: Execution) -> list[Learning]:
    """Value every parameter and group by itself and beside the reports, and the reports."""
    unknowns = _unknowns(sample)
    job = _valuation(sample, [columns for _, _, columns in unknowns])
    found = []
    parts = zip(sample.losses, job.losses, job.before, job.informed, strict=True)
    for key, losses, before, informed in parts:
        reports = worth(losses, informed, before)
        everything = value_of_everything(losses)
        found.append(Learning(*key, "reports", REPORTS, reports, None))
        found.append(Learning(*key, "everything", EVERYTHING, everything, None))
    identity = {"sample": _digest(job)}
    values = map_runs(_valued, job, len(unknowns), identity=identity, each=12, **execution)
    for row, (kind, name, _) in enumerate(unknowns):
        for place, key in enumerate(sample.losses):
            alone, beyond = (Worth(*values[part][row, place]) for part in ("alone", "beyond"))
            found.append(Learning(*key, kind, name, alone, beyond))
    return found


def _valuation(sample: Sample, unknowns: Sequence[NDArray[np.float64]]) -> _Valuation:
    keys, folds = list(sample.losses), sample.folds
    losses = tuple(sample.losses.values())
    parts = [differences(each) for each in losses]
    widths = np.cumsum([0, *(part.shape[1] for part in parts)]).tolist()
    said, left = _from_reports(sample, keys, parts)
    gaps = np.concatenate(parts, axis=1)
    mean, targets = gaps.mean(axis=0), np.broadcast_to(gaps, left.shape)
    columns = tuple(slice(a, b) for a, b in itertools.pairwise(widths))
    return _Valuation(
        losses=losses,
        before=tuple(map(without_learning, losses)),
        informed=tuple(chosen((mean + said)[:, each]) for each in columns),
        columns=columns,
        mean=mean,
        said=said,
        targets=np.concatenate([targets, left], axis=2),
        unknowns=tuple(unknowns),
        folds=folds,
    )


def _digest(job: _Valuation) -> str:
    """Return a hash of all numbers that values depend on."""
    found = hashlib.sha256()
    for array in (*job.losses, *job.unknowns, job.said, job.targets, job.folds):
        found.update(repr((array.shape, array.dtype.str)).encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _valued(job: _Valuation, rows: range) -> Arrays:
    """Value some unknowns: estimate, error and share of changed choices for each loss."""
    alone, beyond = [], []
    n_targets = job.said.shape[1]
    for row in rows:
        with one_thread():
            ahead, _ = predicted(inputs_of(job.unknowns[row]), job.targets, job.folds)
        own, besides = ahead[:, :n_targets] + job.mean, ahead[:, n_targets:] + job.mean + job.said
        parts = list(zip(job.losses, job.before, job.informed, job.columns, strict=True))
        alone.append([_row(worth(o, chosen(own[:, c]), before)) for o, before, _, c in parts])
        beyond.append([_row(worth(o, chosen(besides[:, c]), known)) for o, _, known, c in parts])
    return {"alone": np.array(alone), "beyond": np.array(beyond)}


def _row(found: Worth) -> tuple[float, float, float]:
    return found.estimate, found.error, found.share_changed


def _from_reports(
    sample: Sample, keys: Sequence[tuple[str, dt.date]], parts: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the reports to each date say of differences of loss, and what they leave."""
    said, left = [], []
    for (_, date), part in zip(keys, parts, strict=True):
        with one_thread():
            one, rest = predicted(sample.reports[date], part, sample.folds)
        said.append(one)
        left.append(rest)
    return np.concatenate(said, axis=1), np.concatenate(left, axis=2)


def _unknowns(sample: Sample) -> list[tuple[str, str, NDArray[np.float64]]]:
    single = [("parameter", name, values) for name, values in sample.drawn.items()]
    several = [
        ("group", name, np.column_stack([sample.drawn[member] for member in members]))
        for name, members in sample.groups.items()
    ]
    return [*single, *several]

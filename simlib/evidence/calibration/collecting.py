"""One calibration: every fitter over one record, and what came of it beside the priors."""

from __future__ import annotations

import datetime as dt
import os
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simlib._moved import default
from simlib.chance.distributions import check, quantile
from simlib.evidence.calibration.published_record import CalibrationError, Record, read_record
from simlib.finding import Finding, plot_room
from simlib.scenario.canonical import WIDTH, flow
from simlib.statistics.formatting import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from simlib.evidence.calibration.published_record import Fitter
    from simlib.evidence.fitted import Fitted
    from simlib.scenario.schema import Parameter, Scenario

SHARES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Calibration(Finding):
    """What was fitted, to what.

    Attributes
    ----------
    record
        Everything that was read.
    fitted
        One for each parameter, sorted by name.
    lags
        Median lag in days of each series whose releases are dated, and what it rests on.
    files
        The event files, by name; none when the shipped counts were read.
    """

    stem: ClassVar[str] = "calibration"

    record: Record
    fitted: tuple[Fitted, ...]
    lags: Mapping[str, tuple[float, str]]
    files: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """Set prior and posterior of every number side by side.

        Returns
        -------
        DataFrame
            ``parameter``, ``unit``, ``prior_5``, ``prior_50``, ``prior_95``,
            ``posterior_5``, ``posterior_50``, ``posterior_95``, ``data``, ``method``; a
            Dirichlet has a row for each part.
        """
        import pandas as pd

        return pd.DataFrame([line for one in self.fitted for line in self._lines(one)])

    def brief(self) -> pd.DataFrame:
        """Leave out what it rests on; points of a distribution stand in one cell."""
        import pandas as pd

        table = self.table()
        lines: dict[str, list[str]] = {
            name: [str(value) for value in table[name]] for name in ("parameter", "unit")
        }
        for kind in ("prior", "posterior"):
            points = table[[f"{kind}_{share:.0%}".removesuffix("%") for share in SHARES]]
            lines[kind] = [
                "  ".join(map(number, row)) for row in points.itertuples(index=False, name=None)
            ]
        return pd.DataFrame(lines)

    def sources(self) -> pd.DataFrame:
        """Tell data and method of each parameter."""
        import pandas as pd

        columns = ["parameter", "data", "method"]
        return pd.DataFrame(
            [(one.name, one.data, one.method) for one in self.fitted], columns=columns
        )

    def briefs(self) -> dict[str, pd.DataFrame]:
        """Show points of priors and posteriors, and what each was fitted to."""
        return {
            "prior and posterior, 5, 50 and 95 % points": self.brief(),
            "what each was fitted to": self.sources(),
        }

    def figures(self) -> dict[str, Callable[[], Axes]]:
        """Draw priors beside posteriors, shares of places apart."""
        plot = plot_room()
        return {
            "calibration": lambda: plot.calibration(self),
            "calibration-places": lambda: plot.calibration(self, shares=True),
        }

    def sentences(self) -> list[str]:
        """Say what was read, how much was fitted, and what keeps its prior."""
        record = self.record
        drawn = [name for name, p in record.base.parameters.items() if p.distribution is not None]
        kept = sorted(set(drawn) - {one.name for one in self.fitted})
        lines = [
            (
                f"{len(self.fitted)} parameters of {record.base.name} are fitted; {len(kept)} of "
                f"{len(drawn)} drawn ones keep their priors."
            ),
            (
                f"Recent counts: UCDP {record.lethal.vintage}, {record.lethal.months[0]} to "
                f"{record.lethal.months[-1]}; nothing later than {record.as_of} was read."
            ),
        ]
        lines += [f"{series}: counts come {days:g} days after the month. {text}"
                  for series, (days, text) in self.lags.items()]  # fmt: skip
        return lines

    def scenario_text(self, constants: Mapping[str, tuple[float, str]] | None = None) -> str:
        """Write a scenario file that extends the base by what was fitted, and by nothing else.

        Parameters
        ----------
        constants
            Values of parameters that are computed from the scenario itself, with how.
        """
        record = self.record
        head = _HEAD.format(
            base=record.base.name,
            files="".join(f"{name} " for name in self.files),
            as_of=record.as_of,
            counts=f"UCDP {record.lethal.vintage}, {record.lethal.months[0]} to "
            f"{record.lethal.months[-1]}",
        )
        lines = [line for one in self.fitted for line in self._entry(one)]
        for name, (value, text) in (constants or {}).items():
            lines += [f"  {name}:", f"    value: {value:.4g}", *_folded("judgement", text)]
        if self.lags:
            lines.append("series:")
        for series, (days, text) in self.lags.items():
            lines += [*(f"  # {line}" for line in textwrap.wrap(text, WIDTH - 4)), f"  {series}:"]
            lines.append(f"    lag_days: {days:g}")
        return head + "\n".join(lines) + "\n"

    def _entry(self, one: Fitted) -> Iterator[str]:
        parameter = self.record.base.parameters[one.name]
        yield f"  {one.name}:"
        yield from _distribution(one.distribution)
        yield from _folded("fitted", f"{one.data}. {one.method}. As of {one.as_of}.")
        for key, value in (("register", parameter.register), ("judgement", parameter.judgement)):
            if value is not None:
                yield f"    {key}: null"

    def _lines(self, one: Fitted) -> Iterator[dict[str, object]]:
        priors = quantiles(_prior(self.record.base.parameters[one.name]))
        for part, posterior in quantiles(one.distribution).items():
            line: dict[str, object] = {
                "parameter": f"{one.name}.{part}" if part else one.name,
                "unit": one.unit,
            }
            for kind, values in (("prior", priors[part]), ("posterior", posterior)):
                for share, value in zip(SHARES, values, strict=True):
                    line[f"{kind}_{share:.0%}".removesuffix("%")] = value
            yield {**line, "data": one.data, "method": one.method}


def calibrate(
    files: Sequence[str | os.PathLike[str]] = (),
    *,
    as_of: dt.date,
    base: Scenario | str | os.PathLike[str] = "theatre",
    fitters: Sequence[Fitter] | None = None,
) -> Calibration:
    """Fit the parameters of a scenario that data reach; all others keep their priors.

    Parameters
    ----------
    files
        Event files for the recent counts; the shipped counts of 2024 when there are none.
    as_of
        Nothing dated or published later is read.
    base
        The scenario whose parameters are fitted.
    fitters
        What is fitted, and how; to be given.

    Raises
    ------
    LeakError
        Something is dated or published later than `as_of`.
    CalibrationError
        A fitter names a parameter that the scenario lacks or derives, or that another names.
    """
    chosen: Sequence[Fitter] = default("calibrate(fitters=)") if fitters is None else fitters
    record = read_record(files, as_of, base)
    found = [one for fitter in chosen for one in fitter(record)]
    _check(record.base, found)
    ordered = tuple(sorted(found, key=lambda one: one.name))
    names = tuple(os.path.basename(os.fspath(file)) for file in files)  # noqa: PTH119
    return Calibration(record, ordered, record.lags(), names)


def quantiles(
    distribution: Mapping[str, Mapping[str, float]],
) -> dict[str, tuple[float, ...]]:
    """Give 5, 50 and 95 % points of a distribution, by part; one part is named ``""``."""
    ((kind, arguments),) = distribution.items()
    if kind != "dirichlet":
        return {"": tuple(quantile(kind, arguments, share) for share in SHARES)}
    total = sum(arguments.values())
    return {
        part: tuple(quantile("beta", {"a": weight, "b": total - weight}, share) for share in SHARES)
        for part, weight in arguments.items()
    }


def _prior(parameter: Parameter) -> Mapping[str, Mapping[str, float]]:
    if parameter.distribution is not None:
        return parameter.distribution
    return {"fixed": {"value": parameter.value or 0.0}}


def _check(base: Scenario, found: Sequence[Fitted]) -> None:
    for name, count in Counter(one.name for one in found).items():
        if count > 1:
            raise CalibrationError(f"{name}: fitted {count} times")
    for one in found:
        parameter = base.parameters.get(one.name)
        if parameter is None or parameter.expression is not None:
            what = "no such parameter" if parameter is None else "derived from others"
            raise CalibrationError(f"{one.name}: {what} in {base.name}")
        ((kind, arguments),) = one.distribution.items()
        for rule in check(kind, arguments):
            raise CalibrationError(f"{one.name}: {kind}: {rule}")


_HEAD = """\
# Fitted distributions over {base}.yaml: its posterior where data reach, its priors elsewhere.
#
# Generated by `simlib calibrate {files}--as-of {as_of} --standardize N -o FILE`; nobody edits it.
# Read were {counts}
# (Sundberg and Melander 2013; Hegre et al. 2020; CC BY 4.0), rows of the register
# (seeds/parameters.csv), pairs of counts and dates of releases (seeds/history) and fits to daily
# counts (seeds/fits). Each entry says what it was fitted to, how, and as of when. Decisions,
# postures and what followed 8 December 2024 have no data and keep the priors of {base}.yaml.
simlib: 1
name: fitted
extends: {base}.yaml
context_of_use: >-
  Base of the scenarios of this folder with its numbers fitted; it holds no options or
  outcomes of its own. Not for targeting or individual decisions.
as_of: {as_of}
parameters:
"""


def _distribution(distribution: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    ((kind, arguments),) = distribution.items()
    line = f"    distribution: {flow({kind: dict(arguments)})}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"    distribution:\n      {kind}:"
    for key, value in arguments.items():
        yield f"        {flow(key)}: {flow(float(value))}"


def _folded(key: str, text: str) -> Iterator[str]:
    yield f"    {key}: >-"
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent="      ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )

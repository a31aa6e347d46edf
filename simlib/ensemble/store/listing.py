"""What there is of one option in a results directory: chunks that count, and what does not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.ensemble.store.chunks import TABLES
from simlib.ensemble.store.entries import Entry, entry_of
from simlib.errors import StoreError
from simlib.files import own_files, own_names, slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_NO_WAY_ROUND = "move the files of one out of the directory and run again"


@dataclass(frozen=True, slots=True)
class Listing:
    """Chunks by their sidecars, the tables behind them not looked at.

    Attributes
    ----------
    entries
        Chunks whose sidecar is as it was written, by first replication.
    damaged
        Sidecars that cannot be trusted, and what is wrong: their chunks are made again.
    foreign
        A line for each chunk that no run may count: of other results, or overlapping.
    """

    entries: list[Entry]
    damaged: dict[Path, str]
    foreign: list[str]

    def refuse_foreign(self) -> None:
        """Refuse chunks of other results, and replications that would count twice.

        Raises
        ------
        StoreError
            There are such.
        """
        if self.foreign:
            n_more = len(self.foreign) - 1
            more = f" (and {n_more} more: simlib verify lists them)" if n_more else ""
            raise StoreError(f"{self.foreign[0]}{more}")


def listing(root: Path, option: str, made_of: Mapping[str, Any] | None) -> Listing:
    """Look at the chunks of an option.

    Parameters
    ----------
    root
        The results directory.
    option
        The option.
    made_of
        What its chunks must be made of; none for results that do not say.
    """
    entries, damaged, foreign = [], {}, []
    for path in own_files(root / "chunks" / f"option={slug(option)}"):
        if path.suffix != ".json":
            continue
        try:
            entry = entry_of(path)
        except StoreError as error:
            damaged[path] = str(error)
            continue
        if made_of is not None and entry.made_of is None:
            damaged[path] = f"{path}: damaged (it lost its hash)"
        elif rule := _foreign(entry, option, made_of):
            foreign.append(f"{path}: {rule}; move its files out of the directory and run again")
        else:
            entries.append(entry)
    entries.sort(key=lambda entry: entry.first)
    return Listing(entries, damaged, [*foreign, *_overlapping(entries)])


def orphans(root: Path, option: str) -> list[str]:
    """Return the names of chunks that have tables and no sidecar."""
    folder = f"option={slug(option)}"
    # Tables first: what is written meanwhile has its sidecar by the time that is looked for.
    tables = {name for table in TABLES for name in own_names(root / table / folder)}
    sidecars = set(own_names(root / "chunks" / folder))
    named = (name.removesuffix(".parquet") for name in tables if name.endswith(".parquet"))
    return sorted(name for name in named if f"{name}.json" not in sidecars)


def _foreign(entry: Entry, option: str, made_of: Mapping[str, Any] | None) -> str:
    """Return why a chunk is not of these results; empty where it is."""
    if entry.option != option:
        there, here = (name or "(as written)" for name in (entry.option, option))
        return f"is of option {there}, in the folder of {here}"
    if made_of is None or entry.made_of == made_of:
        return ""
    names = [name for name, value in made_of.items() if (entry.made_of or {}).get(name) != value]
    words = {
        "scenario_digest": "another scenario",
        "root_seed": "another root seed",
        "agents": "other added agents",
        "without": "other agents left out",
        "journals": "results that keep journals otherwise",
    }
    return f"is a chunk of {' and '.join(words[name] for name in names)}"


def _overlapping(entries: list[Entry]) -> Iterator[str]:
    furthest: Entry | None = None
    for before, entry in itertools.pairwise(entries):
        furthest = before if furthest is None or before.stop > furthest.stop else furthest
        if entry.first < furthest.stop:
            last = min(entry.stop, furthest.stop) - 1
            yield (
                f"{entry.sidecar}: holds replications {entry.first} to {last}, and so does "
                f"{furthest.name}: they would count twice; {_NO_WAY_ROUND}"
            )

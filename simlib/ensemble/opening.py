"""The directory of an ensemble, begun or found.

One whose manifest is lost, or that a version before this one wrote, is made whole again.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import TYPE_CHECKING, Any

from simlib.ensemble import store
from simlib.ensemble.execution import Progress
from simlib.ensemble.manifest import manifest_of, refuse_other, reopened
from simlib.ensemble.replications import prepare
from simlib.ensemble.store.entries import entry_of, identity_of
from simlib.ensemble.verifying import refuse_unequal
from simlib.errors import StoreError
from simlib.files import Output, make_folder, read_regular, slug

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simlib.ensemble.execution import Listener
    from simlib.ensemble.replications import Job
    from simlib.ensemble.store import Directory, Entry


_EVERY = range(2**31)
_FIGURE = re.compile(r"(probabilities|outcomes|months|exit)(-.+)?\.png")
_MOST_FIGURE = 2**28
_DRAWN_BY = b"Matplotlib"
"""What every PNG that matplotlib writes begins with saying."""


def keeps_journals(path: Path | None, *, asked: bool) -> bool:
    """Whether journals are kept: as a directory that is there already was begun."""
    if path is None or store.is_free(path):
        return asked
    if store.has_lost_manifest(path):
        kept = (path / "incidents").is_dir()
    else:
        kept = bool(reopened(path).manifest["journals"])
    if asked and not kept:
        raise StoreError(
            f"{path}: was begun without journals; give another directory, or replay what you need"
        )
    return kept


def own_folder(home: Path, job: Job) -> Path:
    """The folder of a job in one for all results: named after its scenario, and numbered.

    It is the first in which nothing lies, or results that this job would complete.
    """
    manifest, name = manifest_of(job, ("",)), slug(job.scenario.name)
    for number in itertools.count(1):
        path = home / (name if number == 1 else f"{name}-{number}")
        if store.is_free(path):
            return path
        with contextlib.suppress(StoreError):
            refuse_other(reopened(path), manifest)
            keeps_journals(path, asked=job.journals)
            return path
    raise AssertionError  # the numbers do not end


@contextlib.contextmanager
def opened(
    path: Path | None, job: Job, options: tuple[str, ...], tell: Listener
) -> Iterator[Directory]:
    """Hold the directory of an ensemble, begun or found, for writing."""
    manifest = manifest_of(job, options)
    if path is None:
        yield store.create(None, manifest)
        return
    if store.is_free(path):
        make_folder(path)
    elif not store.has_lost_manifest(path):
        refuse_other(reopened(path), manifest)
    with store.locked(path):
        yield _held(path, job, manifest, tell)


def _held(path: Path, job: Job, manifest: dict[str, Any], tell: Listener) -> Directory:
    """The directory of an ensemble, whole again as far as it was not."""
    # Another run may have begun it in the meantime.
    if store.is_free(path):
        return store.create(path, manifest)
    if store.has_lost_manifest(path):
        directory = with_new_manifest(path, manifest, ("", *job.scenario.options))
    else:
        directory = reopened(path)
        refuse_other(directory, manifest)
    for name in directory.manifest["options"]:
        directory.listing(name).refuse_foreign()
    for note in directory.sweep():
        tell(Progress("note", 0, 0, note=note))
    upgrade(directory, job, tell)
    _widen(directory, manifest)
    return directory


def _widen(directory: Directory, manifest: dict[str, Any]) -> None:
    """Let the manifest speak of all that is there now: options, replications, map, words."""
    before = directory.manifest
    words = {key: manifest[key] for key in ("outcomes", "question")}
    if words != {key: before.get(key) for key in words}:
        words["scenario"] = manifest["scenario"]
    merged = {
        **before,
        # Results of before had none.
        **({"map": manifest["map"]} if "map" in manifest else {}),
        **words,
        "options": list(dict.fromkeys([*before["options"], *manifest["options"]])),
        "replications": max(before["replications"], manifest["replications"]),
    }
    if merged != before:
        directory.write_manifest(merged)


def with_new_manifest(path: Path, manifest: dict[str, Any], options: tuple[str, ...]) -> Directory:
    """Write the manifest of results that have lost it, as a new directory's would be.

    The path is held for writing; the options are all of the scenario, and the scenario as it
    is written.

    Raises
    ------
    StoreError
        A chunk is of another scenario, root seed or agents: it is named.
    """
    found = list(_chunks(path, options))
    # Chunks of the format before do not say what they are of: they are probed one by one.
    is_before = bool(found) and all(entry.made_of is None for entry in found)
    for entry in found:
        if entry.made_of is not None and entry.made_of != identity_of(manifest):
            raise StoreError(
                f"{entry.sidecar}: is of another scenario, root seed or agents than those given; "
                "the manifest of these results is lost, and only their own can write it anew"
            )
    names = [*manifest["options"], *(entry.option for entry in found)]
    return store.create(
        path,
        {
            **manifest,
            "simlib_results": store.BEFORE if is_before else store.FORMAT,
            "options": list(dict.fromkeys(names)),
            "replications": max([manifest["replications"], *(entry.stop for entry in found)]),
        },
    )


def upgrade(directory: Directory, job: Job, tell: Listener) -> None:
    """Seal the chunks of results of the format before, once they are known to be of these.

    One replication of each chunk is simulated again, and every digest is computed again:
    what a sidecar of before does not say must show, and a chunk that does not come out as it
    is stored is a `StoreError`.
    """
    if directory.manifest["simlib_results"] == store.FORMAT:
        return
    note = f"results of format {store.BEFORE}: one replication of each chunk is simulated again ..."
    tell(Progress("note", 0, 0, note=note))
    for option in directory.manifest["options"]:
        for line in directory.missing(option, _EVERY)[1]:
            tell(Progress("note", 0, 0, note=line))
        prepared = prepare(job, option)
        for entry in directory.entries(option):
            _refuse_changed(entry)
            refuse_unequal(directory, entry, prepared, entry.first)
            directory.seal(entry)
    _adopt_figures(directory.path / "figures")
    directory.write_manifest({**directory.manifest, "simlib_results": store.FORMAT})


def _adopt_figures(folder: Path) -> None:
    """Let figures that were drawn beside the results be drawn again."""
    drawn = [path.name for path in sorted(folder.glob("*.png")) if _is_drawn(path)]
    Output(folder, "figures").adopt(drawn)


def _refuse_changed(entry: Entry) -> None:
    if entry.recomputed() != entry.digests():
        raise StoreError(
            f"{entry.sidecar}: its digests are not those of its tables; move the chunk's files "
            "out of the directory and run again"
        )


def _chunks(path: Path, options: tuple[str, ...]) -> Iterator[Entry]:
    for option in options:
        for sidecar in (path / "chunks" / f"option={slug(option)}").glob("[0-9]*.json"):
            try:
                yield entry_of(sidecar)
            except StoreError:
                continue  # it will be set aside, and made again


def _is_drawn(path: Path) -> bool:
    # By its name first: what else lies there is not even read.
    if _FIGURE.fullmatch(path.name) is None:
        return False
    return _DRAWN_BY in read_regular(path, _MOST_FIGURE, is_input=False)[:1000]

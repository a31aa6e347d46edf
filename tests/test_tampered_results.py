"""Nothing outside is touched, nothing is counted twice, and damage heals: attack by command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

import simlib
from simlib.cli.app import app
from simlib.ensemble import store
from simlib.plot import figures
from support.agents import Watcher
from support.results import (
    as_format_2,
    chunk_files,
    copy_chunk,
    flip,
    grown,
    link,
    pipe,
    reseal,
    sidecars,
    swap,
)
from support.scenarios import TEXT, small, watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from simlib.ensemble import Progress


N, SIZE = 12, 4
OPTIONS = ["as_planned", "later"]
TABLE = "outcomes/option=as_planned/00000004-00000008.parquet"
SIDECAR = "chunks/option=as_planned/00000004-00000008.json"
COMMANDS = {
    "run": "run {file} -o {out} --option as_planned --option later --replications 12 --jobs 1 "
    "--no-figures",
    "extend": "extend {out} --replications 16 --jobs 1 --no-figures",
    "verify": "verify {out}",
    "plot": "plot {out} -o {scratch}",
    "replay": "replay {out} --replication 5 --option as_planned",
    "compare": "compare {file} --option as_planned,later -o {out} --replications 12 --jobs 1",
    "why": "why {out} raids --option as_planned,later --replications 12 --jobs 1",
    "fork": "fork {file} --at 2000-03-31 --option as_planned,later -o {out} --replications 12 "
    "--jobs 1",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results of two options, and beside them a scenario file and other results."""
    home = tmp_path_factory.mktemp("sound")
    (home / "small.yaml").write_text(TEXT, encoding="utf-8")
    more: dict[str, Any] = {"replications": N, "jobs": 1, "chunk_size": SIZE, "options": OPTIONS}
    simlib.run(small(), directory=home / "out", **more)
    simlib.run(small(), directory=home / "seed", root_seed=9, **more)
    other = simlib.scenario.load_text(TEXT.replace("South: 4", "South: 40"))
    simlib.run(other, directory=home / "scenario", **more)
    simlib.run(small(), directory=home / "coarse", **{**more, "chunk_size": 8})
    return home


@pytest.fixture
def home(sound: Path, tmp_path: Path) -> Path:
    """Return a copy of all that, which a test may spoil."""
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    victim = tmp_path / "victim"
    (victim / "option=x").mkdir(parents=True)
    (victim / "thesis.txt").write_text("precious", encoding="utf-8")
    (victim / "00000000-00000004.parquet").write_text("precious too", encoding="utf-8")
    return tmp_path


def command(name: str, home: Path) -> Any:
    """Run a command on the results, and return what came of it."""
    line = COMMANDS[name].format(
        file=home / "small.yaml", out=home / "out", scratch=home / "scratch"
    )
    return CliRunner().invoke(app, line.split(), standalone_mode=False)


def said(result: Any) -> str:
    """Return all that a command told, its error included."""
    return f"{result.output}{result.stderr}{result.exception or ''}"


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def foreign(name: str) -> Callable[[Path, Path], None]:
    """Return what copies a chunk of other results over one of these."""

    def attack(out: Path, _victim: Path) -> None:
        copy_chunk(out.parent / name, out)

    return attack


def option_over_another(out: Path, _victim: Path) -> None:
    """Copy the chunks of an option over those of another."""
    chunks = out / "chunks"
    shutil.copytree(chunks / "option=later", chunks / "option=as_planned", dirs_exist_ok=True)


def options_exchanged(out: Path, _victim: Path) -> None:
    """Exchange the folders of two options."""
    for folder in list(out.glob("*/option=as_planned")):
        swap(folder, folder.with_name("option=later"))


def manifest_changed(out: Path, _victim: Path) -> None:
    """Change the scenario in the manifest."""
    change(out / "manifest.json", "South: 4", "South: 9")


ATTACKS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "linked option": (link("failures/option=_"), "is a link"),
    "linked table folder": (link("incidents"), "is a link"),
    "linked chunks": (link("chunks/option=later"), "is a link"),
    "linked figures": (link("figures"), "is a link"),
    "linked corrupt": (link("corrupt"), "is a link"),
    "linked pieces": (link("pieces"), "is a link"),
    "linked lock": (link(".lock"), "is a link"),
    "linked manifest": (link("manifest.json"), "is a link"),
    "pipe for a table": (pipe(TABLE), "is a pipe"),
    "pipe for a manifest": (pipe("manifest.json"), "is a pipe"),
    "huge manifest": (grown("manifest.json", 2**32), "must be at most 67108864 bytes"),
    "huge sidecar": (grown(SIDECAR, 2**32), "must be at most"),
    "chunk of another seed": (foreign("seed"), "is a chunk of another scenario and another root"),
    "chunk of another scenario": (foreign("scenario"), "is a chunk of another scenario"),
    "chunks that overlap": (foreign("coarse"), "and so does"),
    "chunk of another option": (option_over_another, "is of option later, in the folder of as_pl"),
    "exchanged options": (options_exchanged, "in the folder of"),
    "changed manifest": (manifest_changed, "its text was changed"),
}
HEALED_BY = {"run", "extend", "compare"}
"""Commands that simulate: a damaged chunk is set aside and simulated again."""


def change(file: Path, before: str, after: str) -> None:
    """Change a text of a file."""
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_one_line_for_every_command(attack: str, name: str, home: Path) -> None:
    """Refused with the name and status 2 (of verify, 1 or 2), and nothing outside is touched."""
    do, message = ATTACKS[attack]
    do(home / "out", home / "victim")
    before = tree(home / "victim")
    result = command(name, home)
    assert tree(home / "victim") == before
    # Forks are a scenario of their own: results of the options alone are of another one.
    assert message in said(result) or (
        name == "fork" and "holds results of another scenario" in said(result)
    )
    if attack == "huge sidecar" and name in HEALED_BY:
        assert "set aside in corrupt/ and simulated again" in said(result)
        return
    assert isinstance(result.exception, simlib.errors.SimlibError) or name == "verify"
    assert result.return_value == 1 or result.exception is not None
    assert name == "fork" or len(str(result.exception or "x").splitlines()) == 1


def test_a_fork_refuses_what_is_not_of_its_own(home: Path) -> None:
    shutil.rmtree(home / "out")
    assert command("fork", home).exit_code == 0
    (option, *_), (other, *_) = (sidecars(home / d) for d in ("out", "seed"))
    for file in chunk_files(home / "seed", other):
        to = home / "out" / file.relative_to(home / "seed").parent.parent / option.parent.name
        shutil.copy(file, to / file.name)
    assert "is of option as_planned, in the folder of (as written)" in said(command("fork", home))


def run(out: Path, **more: Any) -> simlib.Ensemble:
    """Return the results of two options, completed."""
    given = {"replications": N, "jobs": 1, "chunk_size": SIZE, "options": OPTIONS}
    return simlib.run(small(), directory=out, **{**given, **more})


def healed(out: Path, digest: str, n_again: int = SIZE) -> list[str]:
    """Run again, see that all is whole with the same digest, and return what was told."""
    seen: list[Progress] = []
    again = run(out, progress=seen.append)
    assert again.digest == digest
    assert not again.verify().faults
    assert seen[-1].n_total == n_again
    return [each.note for each in seen if each.note]


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(file.read_bytes()[:40]),
        lambda file: file.write_bytes(b""),
        lambda file: flip(file, 0.9),
        lambda file: flip(file, 0.1),
        lambda file: file.unlink(),
        lambda file: change(file, '"n_failed": 0', '"n_failed": 1'),
        lambda file: change(file, '"sha256_of_what_follows"', '"was"'),
        lambda file: file.write_text("[" * 100_000),
    ],
    ids=["cut", "empty", "flipped", "flipped early", "gone", "changed", "unsealed", "deep"],
)
def test_a_damaged_sidecar_is_set_aside_and_its_chunk_made_again(damage: Any, home: Path) -> None:
    out = home / "out"
    digest = simlib.open(out).digest
    damage(out / SIDECAR)
    with pytest.raises(simlib.StoreError, match=f"{SIDECAR}: .*; run again to set it aside"):
        simlib.open(out).table()
    assert any(SIDECAR in fault for fault in simlib.open(out).verify().faults)
    (note,) = healed(out, digest)
    assert note.endswith("; set aside in corrupt/ and simulated again")
    assert list((out / "corrupt").rglob("00000004-00000008.parquet.corrupt"))


@pytest.mark.parametrize("damage", [flip, Path.unlink, lambda f: f.write_bytes(b"")])
def test_a_damaged_table_is_set_aside_and_its_chunk_made_again(damage: Any, home: Path) -> None:
    out = home / "out"
    digest = simlib.open(out).digest
    damage(out / TABLE)
    healed(out, digest)


def test_tables_of_two_options_exchanged_are_damage(home: Path) -> None:
    out = home / "out"
    digest = simlib.open(out).digest
    table = TABLE.replace("outcomes", "milestones")
    swap(out / table, out / table.replace("as_planned", "later"))
    assert len(simlib.open(out).verify().faults) == 2
    assert len(healed(out, digest, 2 * SIZE)) == 2


def test_an_option_that_is_not_of_these_results_is_told_by_verify(home: Path) -> None:
    out = home / "out"
    shutil.copytree(out / "chunks" / "option=later", out / "chunks" / "option=never")
    (fault,) = simlib.open(out).verify().faults
    assert "option=never: is of no option of these results" in fault


def test_what_is_not_there_is_told_by_verify(home: Path) -> None:
    """A whole chunk that is gone is no fault of what is there, but it is said."""
    out = home / "out"
    for file in chunk_files(out, out / SIDECAR):
        file.unlink()
    found = simlib.open(out).verify()
    assert found.is_whole
    assert found.missing == (
        "8 of 12 replications of option as_planned are there; run again for the others",
    )


def test_only_files_of_simlibs_own_names_are_swept(home: Path) -> None:
    out = home / "out"
    names = [
        *("chunks/option=later/notes.txt", "failures/mine/a.parquet", "outcomes/.DS_Store"),
        *("chunks/option=later/20240101-20241231.json", ".draft.2026.tmp"),
        *("mine/option=x/.notes.v.2.tmp", "outcomes/option=later/.thesis.3.tmp"),
        *("outcomes/option=later/20250101-20251231.parquet.bak",),
        "outcomes/option=later/00000500-00000600.npz",
    ]
    mine = [out / name for name in names]
    for file in mine:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("precious", encoding="utf-8")
    left = out / "outcomes" / "option=later" / ".00000000-00000004.parquet.77-0123abcd.tmp"
    left.write_text("half", encoding="utf-8")
    run(out)
    run(out, replications=16)
    assert [file.read_text(encoding="utf-8") for file in mine] == ["precious"] * len(mine)
    assert not left.exists()
    assert simlib.open(out).verify().is_whole


# the manifest


def test_a_lost_manifest_is_written_anew_and_every_chunk_kept(home: Path) -> None:
    out = home / "out"
    digest, before = simlib.open(out).digest, tree(out / "outcomes")
    (out / "manifest.json").unlink()
    with pytest.raises(
        simlib.StoreError, match=r"manifest\.json is missing\); simlib run with the"
    ):
        simlib.open(out)
    again = simlib.run(small(), directory=out, replications=4, jobs=1, option="later")
    assert again.options == ("later", "as_planned")
    assert (again.manifest["replications"], again.digest) == (N, digest)
    assert tree(out / "outcomes") == before


def test_a_lost_manifest_is_not_that_of_another_scenario(home: Path) -> None:
    (home / "out" / "manifest.json").unlink()
    with pytest.raises(simlib.StoreError, match=f"{SIDECAR[:6]}.*: is of another scenario, root s"):
        run(home / "out", root_seed=9)
    assert not (home / "out" / "manifest.json").exists()


@pytest.mark.parametrize("damage", [flip, lambda f: f.write_text("{"), lambda f: f.write_text("")])
def test_a_damaged_manifest_says_what_can_be_saved_and_how(damage: Any, home: Path) -> None:
    out = home / "out"
    digest = simlib.open(out).digest
    damage(out / "manifest.json")
    for what in (simlib.open, run):
        with pytest.raises(simlib.StoreError) as caught:
            what(out)
        assert "move it away, and simlib run with the scenario, options and" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    (out / "manifest.json").rename(home / "damaged.json")
    assert healed(out, digest, 0) == []


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("options", [], "options: list should have at least 1 item"),
        ("options", None, "options: input should be a valid list"),
        ("replications", "12", "replications: input should be a valid integer"),
        ("replications", 1e300, "replications: input should be a valid integer"),
        ("root_seed", -1, "root_seed: input should be greater than or equal to 0"),
        ("months", ["2000-13-01"], "months.0: value error, month must be"),
        ("places", {"North": 3}, "places.North: input should be a valid string"),
        ("outcomes", {"raids": {}}, "outcomes.raids.kind: field required"),
        ("made_by", [], "made_by: list should have at least 1 item"),
        ("scenario", 7, "scenario: input should be a valid string"),
    ],
)
def test_a_manifest_of_another_shape_is_one_line(
    field: str, value: object, message: str, home: Path
) -> None:
    file = home / "out" / "manifest.json"
    reseal(file, **{field: value})
    for what in (simlib.open, run):
        with pytest.raises(simlib.StoreError) as caught:
            what(file.parent)
        assert str(caught.value).startswith(f"{file}: {message}")
        assert len(str(caught.value).splitlines()) == 1


# the format before


def test_results_of_the_format_before_are_read_and_sealed_by_the_next_run(home: Path) -> None:
    out = home / "out"
    digest = simlib.open(out).digest
    as_format_2(out)
    assert simlib.open(out).digest == digest
    assert simlib.open(out).verify().is_whole
    notes = healed(out, digest, 0)
    assert notes == ["results of format 2: one replication of each chunk is simulated again ..."]
    assert json.loads((out / "manifest.json").read_text())["simlib_results"] == store.FORMAT
    change(out / SIDECAR, '"seconds": 0', '"seconds": 9')
    assert not simlib.open(out).verify().is_whole


def test_the_format_before_is_not_sealed_over_a_chunk_of_another_scenario(home: Path) -> None:
    for name in ("out", "scenario"):
        as_format_2(home / name)
    copy_chunk(home / "scenario", home / "out", 1)
    with pytest.raises(simlib.StoreError, match="replication 4 does not come out as it is stored"):
        run(home / "out")
    assert json.loads((home / "out" / "manifest.json").read_text())["simlib_results"] == 2


def test_a_changed_scenario_in_a_manifest_of_the_format_before_is_told(home: Path) -> None:
    as_format_2(home / "out")
    change(home / "out" / "manifest.json", "South: 4", "South: 9")
    for what in (simlib.open, run):
        with pytest.raises(simlib.StoreError, match="was changed: scenario_digest is not what its"):
            what(home / "out")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("root_seed", 5),
        ("places", {"North": "Syria", "South": "Iraq", "East": "Syria"}),
        ("months", ["2000-01-01"]),
        ("types", []),
        ("design", "sobol"),
        ("options", ["as_planned", "never"]),
        ("journals", True),
    ],
)
def test_a_field_that_was_changed_before_there_were_hashes_is_refused(
    field: str, value: object, home: Path
) -> None:
    """Nothing is sealed that the scenario does not say."""
    as_format_2(home / "out")
    file = home / "out" / "manifest.json"
    said = {**json.loads(file.read_text()), field: value}
    file.write_text(json.dumps(said))
    for what in (simlib.open, run):
        with pytest.raises(simlib.StoreError, match=r"manifest\.json: damaged .was changed: "):
            what(home / "out")
    assert json.loads(file.read_text()) == said


def test_figures_of_the_format_before_are_drawn_again(home: Path) -> None:
    out = home / "out"
    figures(simlib.open(out), out / "figures")
    (out / "figures" / ".simlib-written").unlink()
    mine = out / "figures" / "outcomes-mine.png"
    mine.write_bytes(b"mine")
    large = out / "figures" / "holiday.png"
    large.touch()
    grown("figures/holiday.png", 2**29)(out, home)
    as_format_2(out)
    run(out, replications=16)
    assert figures(simlib.open(out), out / "figures")
    assert mine.read_bytes() == b"mine"


def test_a_table_that_no_chunk_lists_is_told_by_verify(home: Path) -> None:
    table = home / "out" / TABLE
    copy = table.with_name(f"{table.stem} (copy).parquet")
    shutil.copy(table, copy)
    assert simlib.open(home / "out").verify().faults == (
        f"{copy}: is listed by no chunk; move it out of the directory",
    )
    assert simlib.open(home / "out").of("as_planned").n == N


def test_a_lost_sidecar_is_refused_after_a_killed_run_too(home: Path) -> None:
    out = home / "out"
    digest = simlib.open(out).digest
    (out / ".holder").write_text("process 4 on x", encoding="utf-8")
    (out / SIDECAR).unlink()
    assert len(simlib.open(out).verify().faults) == 1
    with pytest.raises(simlib.StoreError, match="is missing beside its tables"):
        simlib.open(out).table()
    healed(out, digest)


# agents, and who holds the directory


def test_a_chunk_of_other_agents_is_foreign(tmp_path: Path) -> None:
    more: dict[str, Any] = {"replications": 8, "jobs": 1, "chunk_size": 4, "agents": [Watcher]}
    simlib.run(watched(), directory=tmp_path / "with", **more)
    bare = watched().model_copy(update={"agents": {}})
    simlib.run(bare, directory=tmp_path / "none", **{**more, "agents": []})
    copy_chunk(tmp_path / "with", tmp_path / "none")
    with pytest.raises(simlib.StoreError, match=r"is a chunk of .*other added agents"):
        simlib.open(tmp_path / "none").table()


@pytest.mark.parametrize("how", ["moved", "unlocked"])
def test_a_directory_that_goes_while_it_is_written_ends_the_run(how: str, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def interfere(progress: Progress) -> None:
        if progress.n_done == SIZE:
            (out.rename(tmp_path / "moved") if how == "moved" else (out / ".lock").unlink())

    with pytest.raises(simlib.StoreError, match="was moved, or its lock removed, while it was wr"):
        run(out, progress=interfere, option="later", options=None)
    assert out.exists() == (how == "unlocked")
    kept = simlib.open(out if how == "unlocked" else tmp_path / "moved")
    assert kept.n == SIZE


def test_a_reader_beside_a_run_takes_no_table_for_a_lost_chunk(home: Path) -> None:
    """Between its tables and its sidecar a chunk is not damaged, while the run is there."""
    out = home / "out"
    (out / SIDECAR).unlink()
    with store.locked(out):
        assert simlib.open(out).of("as_planned").n == N - SIZE
    with pytest.raises(simlib.StoreError, match="is missing beside its tables"):
        _ = simlib.open(out).of("as_planned").n


def test_a_folder_that_only_looks_begun_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / ".holder").write_text("precious", encoding="utf-8")
    with pytest.raises(simlib.StoreError, match="is not empty and holds no simlib results"):
        run(tmp_path)
    assert (tmp_path / ".holder").read_text(encoding="utf-8") == "precious"


def test_a_chunk_without_journals_is_foreign_where_they_are_kept(home: Path) -> None:
    run(home / "kept", journals=True)
    copy_chunk(home / "out", home / "kept")
    with pytest.raises(simlib.StoreError, match="keep journals otherwise"):
        simlib.open(home / "kept").table()


def test_a_run_into_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(simlib.StoreError, match="is a link to nothing"):
        run(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_failed_for_want_of_memory_in_a_version_before_is_simulated_again(
    home: Path,
) -> None:
    """Results that hold such failures are completed by the next run."""
    out = home / "out"
    digest = simlib.open(out).digest
    manifest = simlib.open(out).manifest
    sidecar = out / SIDECAR
    for file in chunk_files(out, sidecar):
        file.unlink()
    lost = range(4, 8)
    failed = {
        "replication": np.array(lost, dtype=np.int32),
        "agent": [""] * 4, "date": [""] * 4, "traceback": [""] * 4,
        "error": ["MemoryError: Unable to allocate 12.0 MiB for an array"] * 4,
    }  # fmt: skip
    tables = {"failures": store.arrow("failures", failed)}
    chunk = store.pack(tables, option="as_planned", first=4, stop=8, n_failed=4)
    store.Directory(out, manifest).write(chunk)
    as_format_2(out)
    assert simlib.open(out).n_failed == SIZE
    notes = healed(out, digest)
    assert any(note.startswith("4 replications from 4 on failed for want of") for note in notes)

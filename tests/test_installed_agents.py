"""Agents enter by the entry points of packages, and the command line finds them there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simlib.agents.registry import agent_class, agent_names
from simlib.ensemble import run
from simlib.errors import ScenarioError, SimlibError, SimulationError, StoreError
from simlib.scenario import check, load, load_text
from simlib.simulation import assemble, simulate

if TYPE_CHECKING:
    from simlib.journal import Run

AGENT = '''
import simlib


class Trader(simlib.Agent):
    """Raises a price each month."""

    name = "trader"

    def live(self):
        """Raise it."""
        while True:
            yield self.wait(months=1)
            self.change("price", by=STEP)


STEP = 1.0
'''
SCRIPT = Path(sys.executable).with_name("simlib")
SCENARIO = """
simlib: 1
name: market
context_of_use: A test.
start: 2025-01-01
end: 2025-06-30
places: {North: {country: Land}}
state: {price: {start: 10, unit: coins, judgement: A test.}}
agents: {trader: {writes: [price]}}
outcomes: {price: {state: price, on: 2025-06-30}}
"""


def _installed(folder: Path, package: str, entry: str, source: str = AGENT) -> Path:
    """Lay out an installed package of one module that brings one agent."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[simlib.agents]\n{entry}\n")
    (folder / f"{package}.py").write_text(source)
    return folder


def _simlib(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(path)}
    command = [sys.executable, "-m", "simlib.cli", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=path, check=False
    )


def _price(found: Run) -> float:
    return float(found.snapshots[-1][found.layout.index("price")])


@pytest.fixture
def market(tmp_path: Path) -> Path:
    file = tmp_path / "market.yaml"
    file.write_text(SCENARIO)
    return file


def test_the_command_line_runs_the_agent_of_another_package(tmp_path: Path, market: Path) -> None:
    packages = _installed(tmp_path / "site", "bazaar", "trader = bazaar:Trader")
    out = tmp_path / "out"
    asked = ("run", str(market), "--replications", "2", "--no-figures", "--jobs", "2", "-o")
    done = _simlib(packages, *asked, str(out))
    assert done.returncode == 0, done.stderr
    assert "15" in done.stdout.split("Price")[1]
    assert list(json.loads((out / "manifest.json").read_text())["agents"]) == ["trader"]
    again = _simlib(packages, "verify", str(out))
    assert again.returncode == 0, again.stderr


def test_results_are_not_continued_with_another_source(tmp_path: Path, market: Path) -> None:
    packages = _installed(tmp_path / "site", "bazaar", "trader = bazaar:Trader")
    out = str(tmp_path / "out")
    asked = ("run", str(market), "--replications", "2", "--no-figures", "--jobs", "1", "-o")
    assert _simlib(packages, *asked, out).returncode == 0
    (packages / "bazaar.py").write_text(AGENT.replace("STEP = 1.0", "STEP = 2.0"))
    for more in ((*asked, out), ("extend", out, "--replications", "4", "--jobs", "1")):
        done = _simlib(packages, *more)
        assert done.returncode == 2
        assert "holds results of other added agents" in done.stderr
        assert "agents.trader: another source" in done.stderr


def test_results_are_not_continued_without_the_package(tmp_path: Path, market: Path) -> None:
    packages = _installed(tmp_path / "site", "bazaar", "trader = bazaar:Trader")
    out = str(tmp_path / "out")
    asked = ("run", str(market), "--replications", "2", "--no-figures", "--jobs", "1", "-o")
    assert _simlib(packages, *asked, out).returncode == 0
    done = _simlib(tmp_path, "extend", out, "--replications", "4")
    assert done.returncode == 2
    assert "give the agents that were added: trader" in done.stderr


def test_an_agent_that_nobody_provides_is_named_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(SCENARIO.replace("trader:", "isiss:"))
    done = _simlib(tmp_path, "run", str(file), "-o", str(tmp_path / "out"))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"{file}:9:17: agents.isiss: must be an agent that is installed (got 'isiss')" in line
    assert "did you mean 'isis'?" in line


def test_python_is_told_the_line_too(market: Path) -> None:
    with pytest.raises(ScenarioError, match=r"market.yaml:9:18: agents.trader: must be an agent"):
        run(market, replications=1)


@pytest.mark.parametrize("command", [["-m", "simlib.cli"], [str(SCRIPT)]])
def test_the_folder_one_stands_in_brings_no_agents(
    command: list[str], tmp_path: Path, market: Path
) -> None:
    folder = _installed(tmp_path / "site", "bazaar", "trader = bazaar:Trader")
    asked = [sys.executable, *command, "run", str(market), "-o", str(tmp_path / "out")]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 2
    assert "agents.trader: must be an agent that is installed" in done.stderr


def test_a_scenario_may_name_an_agent_that_is_given_by_hand(market: Path) -> None:
    """So nothing is wrong with the file; who simulates it without the class is told."""
    assert check(market) == []
    for command in ("check", "resolve", "register"):
        assert _simlib(market.parent, command, str(market)).returncode == 0
    with pytest.raises(
        ScenarioError, match=r"^agents.trader: must be an agent .* \(got 'trader'\)"
    ):
        assemble(load(market))


def test_an_agent_that_is_not_active_need_not_be_there(market: Path) -> None:
    text = SCENARIO.replace("{writes: [price]}", "{writes: [price], active: false}")
    market.write_text(text)
    assert load(market, agents=agent_names()).agents["trader"].active is False
    assert _price(simulate(assemble(load_text(text)), 0)) == 10.0


def test_a_name_that_two_packages_bring_is_refused_with_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("bazaar", "souk"):
        monkeypatch.syspath_prepend(
            _installed(tmp_path / package, package, f"trader = {package}:Trader")
        )
    with pytest.raises(SimulationError, match="trader: must be brought by one package") as caught:
        agent_class("trader")
    assert str(caught.value).endswith("(got bazaar and souk)")


def test_a_name_of_simlibs_own_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = AGENT.replace('"trader"', '"withdrawing_force"')
    entry = "withdrawing_force = bazaar:Trader"
    monkeypatch.syspath_prepend(_installed(tmp_path / "site", "bazaar", entry, source))
    with pytest.raises(SimulationError, match=r"\(got bazaar and simlib-scenarios\)"):
        agent_class("withdrawing_force")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("trader = emporium:Missing", "must be there to be imported .got AttributeError"),
        ("trader = nowhere_at_all:Trader", "must be there to be imported .got ModuleNotFoundError"),
        ("trader = emporium:STEP", r"must be a subclass of simlib.Agent that lives .got 1.0"),
        ("trader = emporium:simlib.Agent", "must be a subclass of simlib.Agent that lives"),
        ("seller = emporium:Trader", "must be a class with the name 'seller' .got trader"),
    ],
)
def test_what_is_no_agent_of_that_name_is_refused(
    entry: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_installed(tmp_path / "site", "emporium", entry))
    name = entry.partition(" ")[0]
    with pytest.raises(SimlibError, match=f"^{entry} of emporium: {message}"):
        agent_class(name)


def test_a_class_given_by_hand_takes_the_place_of_an_installed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_installed(tmp_path / "site", "kiosk", "trader = kiosk:Trader"))
    installed = agent_class("trader")

    class Idle(installed):  # type: ignore[misc, valid-type]
        def live(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            yield self.wait(months=1)

    scenario = load_text(SCENARIO)
    assert _price(simulate(assemble(scenario), 0)) == 15.0
    assert _price(simulate(assemble(scenario, agents=[Idle]), 0)) == 10.0


def test_replay_finds_installed_agents_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_installed(tmp_path / "site", "stall", "trader = stall:Trader"))
    ensemble = run(load_text(SCENARIO), replications=2, jobs=1)
    assert _price(ensemble.replay(1)) == 15.0
    by_hand = run(load_text(SCENARIO), replications=2, jobs=1, agents=[agent_class("trader")])
    monkeypatch.undo()
    with pytest.raises(StoreError, match="give the agents that were added: trader"):
        by_hand.replay(1)

"""Mutants: copies of the package with one fault each, run in processes of their own.

Compiled code ignores what is patched at run time, and a cache may hold what it was before.
A mutant is therefore a rewritten copy of the sources with a cache of its own, and must
show that other code ran before its verdict counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
PACKAGE = TESTS.parent / "simlib"


@dataclass(frozen=True, slots=True)
class Edit:
    """A textual substitution in one file of the package."""

    file: str
    old: str
    new: str

    def apply(self, package: Path) -> None:
        """Rewrite the file; what is replaced must stand there exactly once."""
        path = package / self.file
        text = path.read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1:
            raise AssertionError(f"{self.file}: {self.old!r} stands there {found} times")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault, and the exam that must find it with n replications."""

    name: str
    edits: tuple[Edit, ...]
    case: str
    n: int


COMPILED = (
    Mutant(
        "a rate 2 % off",
        (
            Edit(
                "world/kernel/channel_intensities.py",
                "    floats[f + t.INTENSITY] = intensity\n",
                "    intensity = 1.02 * intensity\n    floats[f + t.INTENSITY] = intensity\n",
            ),
        ),
        "003-01",
        10_000,
    ),
    Mutant(
        "P**2 / 2 for P (P - 1) / 2",
        (
            Edit(
                "world/kernel/channel_intensities.py",
                "value = value * (x - k)",
                "value = value * x",
            ),
        ),
        "003-01",
        10_000,
    ),
    Mutant(
        "an intensity one incident stale",
        (
            Edit(
                "world/kernel/marks_and_effects.py",
                "        fired = _set(floats, ints, source, max(0.0, stock + amount))\n"
                "        refresh_dependents(floats, ints, words, source, -1)\n",
                "        refresh_dependents(floats, ints, words, source, -1)\n"
                "        fired = _set(floats, ints, source, max(0.0, stock + amount))\n",
            ),
        ),
        "003-01",
        10_000,
    ),
)
"""Faults of compiled code."""

_POSTPONED = """\
        def apply(_row: int) -> None:
            self.engine.wait(range(len(self.types)), -1)
            self.change_many(np.array([where]), np.array([value]), opener)

        self.engine.wait(range(len(self.types)), 1)
        self.engine.on_notable = apply
"""

INTERPRETED = (
    Mutant(
        "the timed event at the next reaction",
        (
            Edit(
                "world/world.py",
                "        self._one_position[0], self._one_value[0] = where, value\n"
                "        self.change_many(self._one_position, self._one_value, opener)\n",
                _POSTPONED,
            ),
        ),
        "002-09",
        300,
    ),
    Mutant(
        "state sampled before the jump",
        (Edit("world/clock.py", "OBSERVER_RANK = 100_001", "OBSERVER_RANK = 2"),),
        "002-09",
        300,
    ),
    Mutant(
        "one seed for all replications",
        (
            Edit(
                "simulation/simulating.py",
                "key=(scenario.root_seed, replication)",
                "key=(scenario.root_seed, 0)",
            ),
        ),
        "002-01",
        300,
    ),
    Mutant(
        "batches arriving one by one",
        (
            Edit(
                "world/channels.py",
                'self._per_day.append(1.0 if group.per == "day" else',
                "batch = max(1.0, *(float(effect.by) for effect in group.effects))\n"
                '        self._per_day.append(batch if group.per == "day" else',
            ),
            Edit(
                "world/channels.py",
                "self._quantities.number(effect.by)",
                "self._quantities.number(min(1.0, float(effect.by)))",
            ),
        ),
        "004-01",
        1_000,
    ),
)
"""Faults of interpreted code: they share one copy, and so what is compiled of it."""

_EXAMINE = """
import hashlib, json, sys
from pathlib import Path
import simlib
from simlib.chance.compiling import cache_folder, sources_digest
from verification.exams import EXAMS, examine
package = Path(simlib.__file__).parent
sources = b"".join(path.read_bytes() for path in sorted(package.rglob("*.py")))
case, n, times = json.loads(sys.argv[1])
verdict = examine(EXAMS[case], n, times=times)
print(json.dumps({
    "package": str(package),
    "sources": hashlib.sha256(sources).hexdigest(),
    "compiled": sources_digest(),
    "is_own_cache": cache_folder().is_dir() and len(list(cache_folder().rglob("*.nbc"))) > 0,
    "z": verdict.z,
    "yc": verdict.yc,
}))
"""


def copy_package(folder: Path) -> Path:
    """Copy the package into a folder; return the copy."""
    copy = folder / "simlib"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def examine_copy(copy: Path, case: str, n: int, times: tuple[float, ...]) -> dict[str, Any]:
    """Examine a copy of the package in a process of its own, with a cache of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(copy.parent), str(TESTS)]),
        "NUMBA_OPT": "1",  # compiled for one exam: a fault is one however fast it runs
        "SIMLIB_CACHE_DIR": str(copy.parent / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _EXAMINE, json.dumps([case, n, times])],
        cwd=copy.parent, env=environment, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    assert Path(result["package"]) == copy, "another copy ran"
    assert result["is_own_cache"], "what ran was not compiled into a cache of its own"
    return result

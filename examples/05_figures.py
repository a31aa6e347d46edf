"""Draw figures: a fan of monthly incidents, the length of the stay, one history.

The folder they go to may be given: ``python 05_figures.py docs/img``.
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

import simlib

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "figures")
folder.mkdir(parents=True, exist_ok=True)
ensemble = simlib.run("as_agreed", replications=int(sys.argv[2]) if len(sys.argv) > 2 else 24)

# A plot takes data and axes, and returns the axes: it can stand in any figure.
fan, stay, history = (Figure(figsize=(7, h), dpi=120, layout="constrained") for h in (4, 4, 6.5))
drawn = {
    "isis_attacks_iraq_fan": simlib.plot.fan(ensemble, "isis_attack", "Iraq", ax=fan.subplots()),
    "iraq_stay": simlib.plot.exit_curve(ensemble, "iraq_mission_end", ax=stay.subplots()),
    "one_history": simlib.plot.timeline(ensemble.replay(5), ax=history.subplots()),
}
for (name, axes), figure in zip(drawn.items(), (fan, stay, history), strict=True):
    figure.savefig(folder / f"{name}.png")
    print(f"{name}.png: {axes.get_title(loc='left')}")

"""Draw figures: months, the length of the stay, where it happens, one history.

The folder they go to may be given: ``python 05_figures.py docs/img``.
"""

import sys
from pathlib import Path

import simlib

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "figures")
folder.mkdir(parents=True, exist_ok=True)
ensemble = simlib.run("as_agreed", replications=int(sys.argv[2]) if len(sys.argv) > 2 else 24)

# A plot takes results and returns axes; given axes with ``ax=``, it stands in any figure.
drawn = {
    "isis_attacks_iraq_fan": simlib.plot.fan(ensemble, "isis_attack", "Iraq"),
    "isis_attacks_map": simlib.plot.map(ensemble, "isis_attack", during=("2025-01", "2025-12")),
    "iraq_stay": simlib.plot.exit_curve(ensemble, "iraq_mission_end"),
    "one_history": simlib.plot.timeline(ensemble.replay(5)),
}
for name, axes in drawn.items():
    (folder / f"{name}.png").write_bytes(simlib.plot.image(axes))
    print(f"{name}.png: {axes.get_title(loc='left')}")

"""The command line. Nothing loads here: `main` loads, and hears Ctrl-C meanwhile."""

import os
import sys


def main() -> None:
    """Run the command line: what ends it is one line and a status."""
    # Helper processes of libraries would execute what lies in the current folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        from simlib.cli.process import run

        status = run()
    except KeyboardInterrupt as stop:  # while something loads
        if sys.stderr is not None:
            sys.stderr.write("interrupted\n")
        status = getattr(stop, "status", 130)
    sys.exit(status)

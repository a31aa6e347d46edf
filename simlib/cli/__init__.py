"""The command line. Nothing loads here: `main` loads, and hears Ctrl-C meanwhile."""

import os
import sys


def main() -> None:
    """Run the command line: what ends it is one line and a status."""
    import gc

    # Loading libraries makes many objects that all stay: looking for cycles among them
    # again and again costs a tenth of a second.
    gc.set_threshold(50_000, 20, 50)
    # Work is spread over processes; threads of linear algebra on its small matrices only wait
    # for one another, and take several times the processor. Whoever wants them sets them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
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

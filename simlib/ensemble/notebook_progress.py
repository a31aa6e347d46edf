"""How far a run is, in a notebook: a bar below the cell, and one line when all is done."""

from __future__ import annotations

import html
import importlib
import sys
import time
from typing import TYPE_CHECKING, Any

from simlib.ensemble.progress_words import announcement, standing

if TYPE_CHECKING:
    from simlib.ensemble.execution import Listener, Progress

_EVERY = 0.2
"""Seconds between two looks of the bar."""


def usual_listener() -> Listener:
    """Who hears of progress where nobody was named: the notebook, if there is one."""
    return NotebookBar() if _is_notebook() else lambda _progress: None


def _is_notebook() -> bool:
    """Whether this process serves a notebook; IPython is loaded then, and asked."""
    ipython = sys.modules.get("IPython")
    shell: Any = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")


class NotebookBar:
    """A bar that is drawn anew in its place; what failed is warned of by the run itself."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn_at = 0.0

    def __call__(self, progress: Progress) -> None:
        """Take note of progress."""
        if progress.phase == "compiling":
            self._show("compiling the kernel ...", "<progress></progress>")
        elif progress.phase == "running":
            self._run(progress)
        elif progress.phase == "done":
            n = progress.n_total
            self._show(
                f"{n:,} replications simulated" if n else "all replications are there already"
            )

    def _run(self, progress: Progress) -> None:
        if progress.n_done == progress.n_total:
            self._show(f"{progress.n_total:,} replications simulated")
            return
        now = time.monotonic()
        if now - self._drawn_at < _EVERY:
            return
        self._drawn_at = now
        text = standing(progress) if progress.n_done else announcement(progress)
        bar = f'<progress value="{progress.n_done}" max="{progress.n_total}"></progress>'
        self._show(text, bar)

    def _show(self, text: str, bar: str = "") -> None:
        looks = {"text/plain": text, "text/html": f"{bar} {html.escape(text)}".strip()}
        if self._handle is None:
            display = importlib.import_module("IPython.display")
            self._handle = display.display(looks, raw=True, display_id=True)
        else:
            self._handle.update(looks, raw=True)

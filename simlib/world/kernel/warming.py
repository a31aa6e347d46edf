"""Compile the kernel before it is needed: in the parent process, with an announcement."""

from __future__ import annotations

import numpy as np

from simlib.chance.philox import uniform, uniforms
from simlib.journal import MARKS
from simlib.world.kernel import kernel_tables as t
from simlib.world.kernel.advance import advance, begin, begin_history
from simlib.world.kernel.channel_intensities import write
from simlib.world.kernel.memory import Memory

_FLOATS = {
    "state", "channel_f", "factor_f", "mark_f", "effect_f", "link_f", "notable_f", "numbers",
    "layer_f", "heap_at", "watch_f", "floor",
}  # fmt: skip
_WORDS = {"key", "channel_u", "link_u", "layer_u"}


def compile_all() -> None:
    """Compile every entry of the kernel, or load it from the cache."""
    types = {
        name: np.uint64 if name in _WORDS else np.float64 if name in _FLOATS else np.int64
        for name in t.WIDTHS
    }
    memory = Memory({name: np.zeros((2, w), types[name]) for name, w in t.WIDTHS.items()})
    arrays = (memory.floats, memory.ints, memory.words)
    begin_history(*arrays)
    begin(*arrays)
    write(*arrays, np.zeros(0, dtype=np.int64), np.zeros(0), -1)
    whole, pairs = np.zeros(2, dtype=np.int64), np.zeros((2, 3), dtype=np.int64)
    words, marks = np.zeros((2, 3), dtype=np.uint64), np.zeros((2, len(MARKS)))
    advance(*arrays, np.zeros(2), whole, whole, pairs, words, np.zeros(2), pairs, words, marks)
    uniform(0, 0, 0)
    uniforms(0, 0, np.zeros(1, dtype=np.uint64), np.zeros(1, dtype=np.uint64))

"""One thread for small regressions."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which linear algebra uses one thread.

    Thousands of small regressions lose more by waiting for threads than these gain, many
    times over where cores are busy; and sums then do not depend on how many cores there are.
    """
    # It comes with scikit-learn, which needs it.
    limits: AbstractContextManager[Any] = importlib.import_module(
        "threadpoolctl"
    ).threadpool_limits(limits=1)
    return limits

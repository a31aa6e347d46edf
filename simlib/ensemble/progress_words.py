"""How far a run is, in words: what is to be done, where it stands, what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simlib.ensemble.execution import Progress


def announcement(progress: Progress) -> str:
    """What is to be done, and about how long it takes."""
    workers = f"{progress.jobs} worker{'s' if progress.jobs > 1 else ''}"
    about = f"about {_duration(progress.seconds_expected)} " if progress.seconds_expected else ""
    over = f" over {progress.n_options} options" if progress.n_options > 1 else ""
    return f"{progress.n_total:,} replications{over}, {about}with {workers}"


SOUND_SECONDS = 2.0
"""Before, the speed is that of workers that begin: nothing is estimated from it."""


def standing(progress: Progress) -> str:
    """How much is done, how fast, and what is left as far as that is known."""
    parts = [f"{progress.n_done:,} of {progress.n_total:,}"]
    if progress.n_done == progress.n_total:
        parts += [_speed(progress), "done"]
    elif progress.n_done > progress.jobs and progress.seconds > SOUND_SECONDS:
        parts += [_speed(progress), f"{_duration(progress.seconds_left)} left"]
    if progress.n_failed:
        parts.append(f"{progress.n_failed} failed")
    return ", ".join(parts)


def _speed(progress: Progress) -> str:
    """Replications per second, or seconds of one where they are few."""
    if progress.per_second >= 1:
        return f"{progress.per_second:,.0f}/s"
    return f"{_duration(1 / progress.per_second)} each"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"

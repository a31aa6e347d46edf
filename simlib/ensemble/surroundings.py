"""What comes from the surroundings is no result."""

from __future__ import annotations


def is_of_surroundings(error: str | BaseException) -> bool:
    """Whether an error, or its stored text, says nothing about the scenario."""
    text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    return text.startswith(("MemoryError", "WorkerDied", "OSError: [Errno 12]"))

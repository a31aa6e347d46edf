"""What is worked out from scenarios and ensembles: counterfactuals, and what drives them.

Names stand in ``__init__.pyi``, and load when they are first used.
"""

import lazy_loader

from simlib._moved import NAMES, moved

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Load a name when it is first asked for."""
    moved_name = f"{__name__}.{name}"
    return moved(moved_name) if moved_name in NAMES else _load(name)

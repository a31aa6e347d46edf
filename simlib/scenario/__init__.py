"""Scenarios: what they are, how they are read, checked and written.

Names stand in ``__init__.pyi``, and load when they are first used: what lists and completes
names reads files without them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

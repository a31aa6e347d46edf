"""What is worked out from scenarios and ensembles: counterfactuals, and what drives them.

Names stand in ``__init__.pyi``, and load when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

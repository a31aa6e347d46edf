"""What matplotlib says of its own cache: loaded before matplotlib, which speaks at once.

Where it can write none it makes a temporary one, which is enough, and says so in several
lines.
"""

from __future__ import annotations

import logging


def is_of_use(record: logging.LogRecord) -> bool:
    """Whether what matplotlib says is about anything but where its cache lies."""
    return record.funcName != "_get_config_or_cache_dir"


logging.getLogger("matplotlib").addFilter(is_of_use)

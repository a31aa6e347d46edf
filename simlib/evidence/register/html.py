"""The page of the register as one HTML file that needs nothing else."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from simlib.errors import SimulationError
from simlib.evidence.register.register_pages import correlation_words

if TYPE_CHECKING:
    from simlib.evidence.register.register_pages import Page

_TEMPLATE = "page.html.jinja"
_SAFE_SCHEMES = ("https://", "http://")


def html(page: Page, command: str) -> str:
    """Return the page as HTML; every text in it is escaped.

    Parameters
    ----------
    page
        What stands on it.
    command
        What renders it again.

    Raises
    ------
    SimulationError
        Jinja2 is not installed.
    """
    jinja = _jinja()
    environment = jinja.Environment(
        loader=jinja.PackageLoader("simlib.evidence.register", package_path=""),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rendered: str = environment.get_template(_TEMPLATE).render(
        page=page,
        command=command,
        words=correlation_words,
        is_link=lambda url: url.startswith(_SAFE_SCHEMES),
    )
    return rendered


def _jinja() -> Any:
    try:
        return importlib.import_module("jinja2")
    except ModuleNotFoundError as error:
        if error.name != "jinja2":
            raise
        raise SimulationError(
            "an HTML page needs Jinja2: pip install 'simlib-scenarios[evidence]'"
        ) from None

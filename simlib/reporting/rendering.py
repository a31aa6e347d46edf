"""The page itself: a template with one style and one script, and a policy that allows no more."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.files import read_regular
from simlib.reporting.plain_text import plain
from simlib.scenario.spelling import words
from simlib.statistics.formatting import number, tied

if TYPE_CHECKING:
    from collections.abc import Mapping

_OUTLINE = re.compile(r'<path id="([^"]+)" d="([^"]*)"')
_USED = re.compile(r'<use href="#([^"]+)"')
_GROUP = re.compile(r'<g( class="area \w+")>(.*?)</g>')
_PICTURE = re.compile(r'<svg class="(?:picture|inline|map|key)"[^>]*>')
_COLOR = re.compile(r"(--\w+): ([^;]+);")
_PAGE = Path(__file__).parent / "page"
_MOST_BYTES = 2**20
_MOST_CHARACTERS = 400


def rendered(template: str, contents: Mapping[str, Any]) -> str:
    """The page of a template with its contents, every text of which is escaped."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        finalize=lambda value: plain(value) if isinstance(value, str) and
        not isinstance(value, Markup) else value,
    )  # fmt: skip
    environment.filters |= {
        "words": words, "number": number, "raw": _raw, "shortened": _shortened,
        "tied": tied,
        "capitalize_first": lambda text: text[:1].upper() + text[1:], "zip": zip,
        "stem": lambda name: Path(name).stem,
    }  # fmt: skip
    style, script = _part("report.css") + _part("picture.css"), _part("report.js")
    return environment.get_template(template).render(
        **contents, style=Markup(style), script=Markup(script),  # noqa: S704  (files of this package)
        policy=f"default-src 'none'; img-src data:; script-src {_hash(script)}; "
        f"style-src {_hash(style)}; base-uri 'none'; form-action 'none'",
    )  # fmt: skip


def on_paper(html: str) -> str:
    """The page for a program that runs no script, and draws each picture without the page.

    Pictures get their own style, and maps the outlines that they use.
    """
    outlines = dict(_OUTLINE.findall(html))
    # Its reader gives a path its own style before that of the group around it.
    html = _GROUP.sub(lambda group: group[2].replace("/>", f"{group[1]}/>"), html)
    html = _USED.sub(lambda used: f'<path d="{outlines[used[1]]}"', html)
    colors = dict(_COLOR.findall(_part("report.css").partition("}")[0]))
    told = re.sub(r"var\((--\w+)\)", lambda used: colors[used[1]], _part("picture.css"))
    drawn = f"<style>text {{ font-family: sans-serif; }} {told}</style>"
    return _PICTURE.sub(lambda opened: opened[0] + drawn, html)


def _raw(value: object) -> str:
    """A number as the downloaded table has it: in full, empty where there is none."""
    if isinstance(value, float):
        return "" if value != value else repr(value).removesuffix(".0")  # noqa: PLR0124
    return plain(value)


def _shortened(cell: str) -> str:
    """A cell of a table that others wrote: a number as short text, else as it is."""
    try:
        value = float(cell)
    except ValueError:
        return cell[:_MOST_CHARACTERS]
    return "" if math.isnan(value) else number(value)


def _part(name: str) -> str:
    return read_regular(_PAGE / name, _MOST_BYTES, is_input=False).decode()


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

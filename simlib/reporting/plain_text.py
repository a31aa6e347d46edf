"""Text of others, as text: what would steer a terminal or reorder a line is made visible."""

from __future__ import annotations


def plain(value: object) -> str:
    """A value as text in which every control, bidi ones included, is a replacement character.

    Examples
    --------
    >>> [ord(character) for character in plain(chr(0x202E) + "a")] == [0xFFFD, ord("a")]
    True
    """
    marked = "\N{REPLACEMENT CHARACTER}"
    return "".join(c if c.isprintable() or c in "\n\t" else marked for c in str(value))

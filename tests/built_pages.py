"""Pages that are built and not committed: what is committed of each is a digest.

``python tests/built_pages.py`` renews the digests; ``make register`` and ``make backtest``
run it. The register's is of the page without what an ensemble says on it, which a test can
render again; the other is of the page that `make backtest` has left, where there is one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from simlib.evidence.register.register_page import BEGIN, END, GOES_WITH, page_of
from simlib.scenario import load

ROOT = Path(__file__).resolve().parents[1]
DIGESTS = ROOT / "docs" / "built.sha256"
REGISTER = "docs/register.md"
BACKTESTS = "docs/tables/backtests.md"
COMMAND = f"simlib register as_agreed --results out/register -o {REGISTER}"


def without_sensitivities(text: str) -> str:
    """Return a page without what its ensemble says, so that the rest can be compared."""
    lines = []
    is_kept = True
    for line in text.splitlines():
        is_kept = is_kept and line != BEGIN
        if is_kept and not line.startswith(GOES_WITH):
            lines.append(line)
        is_kept = is_kept or line == END
    return "\n".join(lines)


def digest(text: str) -> str:
    """Return the digest of a page."""
    return hashlib.sha256(without_sensitivities(text).encode()).hexdigest()


def committed() -> dict[str, str]:
    """Return the digests that are committed, by page."""
    lines = DIGESTS.read_text(encoding="utf-8").splitlines()
    return {name: value for value, name in map(str.split, lines)}


def current() -> dict[str, str]:
    """Return the digests of the register as it is rendered now, and of what is built."""
    digests = {REGISTER: digest(page_of(load("as_agreed")).markdown(COMMAND))}
    if (ROOT / BACKTESTS).exists():
        digests[BACKTESTS] = digest((ROOT / BACKTESTS).read_text(encoding="utf-8"))
    return digests


def main() -> None:
    """Renew the digests."""
    lines = [f"{value}  {name}\n" for name, value in sorted((committed() | current()).items())]
    DIGESTS.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()

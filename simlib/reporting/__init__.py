"""The report: what was found, as one HTML file that needs no network."""

from simlib.reporting.composing import Report, report

__all__ = ["Report", "report"]

"""What results say of the question their scenario asks, in sentences with their numbers."""

from simlib.answers.answering import Answer, answer, html_of
from simlib.answers.statements import Statement

__all__ = ["Answer", "Statement", "answer", "html_of"]

"""Addressed chance: every uniform is a Philox word whose address says what it decides."""

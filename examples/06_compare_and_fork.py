"""Compare options on the same luck; then keep a common past, and go on otherwise from a date."""

import datetime as dt

import simlib

OUTCOME = "isis_attacks_iraq_year_1"

comparison = simlib.compare("as_agreed", ["as_agreed", "extend_12m"], replications=24)
effect = comparison.effect(OUTCOME)
print(f"effect of extending: {effect.shown}")
print(f"24 pairs are worth {effect.n_independent:.0f} of independent runs")

# What 2024 and the first half of 2025 bring is the same in both; the option is known from July.
forked = simlib.fork(
    "as_agreed", dt.date(2025, 7, 1), ["extend_12m"], of="as_agreed", replications=12
)
print(forked.sentences()[0])
for option in forked.ensemble.options:
    run = forked.ensemble.replay(3, option=option)
    print(f"replication 3, {option}: {len(run.incidents):,} incidents")

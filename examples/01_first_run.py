"""Load the reference scenario, simulate a few replications, read the outcomes."""

import simlib

scenario = simlib.load("as_agreed")
print(scenario.context_of_use)
print()

ensemble = simlib.run(scenario, replications=24)
print(f"{ensemble.n} replications, {ensemble.n_failed} failed")
print()

# One row a replication, one column an outcome.
attacks = ensemble.outcomes["isis_attacks_iraq_year_1"]
print(f"ISIS attacks in Iraq in the first year: median {attacks.median():.0f}")
print()

# How the agreed end of the mission ends, with 95 % intervals.
table = ensemble.table()
print(table.loc[table["outcome"] == "iraq_end_class", ["category", "shown"]].to_string(index=False))

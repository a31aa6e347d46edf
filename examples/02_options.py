"""Compare two options under the same luck, and see what that is worth."""

import numpy as np

import simlib

OPTIONS = ["as_agreed", "extend_12m"]
OUTCOME = "isis_attacks_iraq_year_1"

ensemble = simlib.run("as_agreed", options=OPTIONS, replications=24)
baseline, counterfactual = (ensemble.of(name).outcomes[OUTCOME].to_numpy() for name in OPTIONS)

# Row by row the same parameters and the same luck: what differs is what the option changes.
effect = counterfactual - baseline
n = len(effect)
print(f"mean effect of extending: {effect.mean():+.1f} attacks in the year")
print(f"standard error, paired: {effect.std(ddof=1) / np.sqrt(n):.1f}")

# Without pairing the same number of replications says less.
unpaired = np.sqrt((baseline.var(ddof=1) + counterfactual.var(ddof=1)) / n)
print(f"standard error, if the runs were independent: {unpaired:.1f}")

"""Make one history again, and follow what happened back to its cause."""

import datetime as dt

import simlib

ensemble = simlib.run("as_agreed", replications=8)

# Results keep numbers, not journals: any replication is made again exactly from its index.
run = ensemble.replay(5)
print(f"replication {run.replication}: {len(run.incidents):,} incidents")

for decision in run.decisions:
    if decision.agent == "committee" and decision.taken != "no":
        date = dt.date(2000, 1, 1) + dt.timedelta(days=int(decision.time))
        print(f"{date} {decision.name}: {decision.taken} (woken by {decision.cause})")

incidents = run.incidents
excited = (incidents.parent >= 0).mean()
print(f"share of incidents that an earlier one excited: {excited:.2f}")

"""What a number was fitted to, how good forecasts of 2024 were, and a forecast to be scored."""

import datetime as dt

from simlib.evidence import backtest, calibrate, freeze
from simlib.evidence.backtests.forecasters import forecaster
from simlib.theatre.record.monthly import shipped_parts
from simlib.theatre.record.published import FITTERS

posterior = calibrate(as_of=dt.date(2024, 12, 31), fitters=FITTERS).table().set_index("parameter")
level = posterior.loc["ucdp.level_259"]
print(f"lethal events of ISF and ISIS a month: median {level['posterior_50']:.1f}")
print(f"fitted to {level['data']}")

names = ("incident_layer", "negative_binomial", "last_value")
tested = backtest(shipped_parts(["2024"]), [forecaster(name) for name in names], n_draws=50)
scores = tested.scores
is_wanted = (scores["part"] == "2024") & (scores["level"] == "unit") & (scores["by"] == "all")
for row in scores[is_wanted & (scores["score"] == "crps")].itertuples():
    print(f"mean CRPS of {row.forecaster} in 2024: {row.mean:.2f} events")

question = {
    "text": "Whether the mission in Iraq is formally extended before its agreed end.",
    "kind": "classes",
    "outcome": "iraq_end_class",
    "resolves_on": "2025-12-31",
    "source": "joint statements of both governments",
    "base": {
        "classes": {"met": 0.4, "formally_extended": 0.2, "slipped": 0.2, "relabelled": 0.2},
        "source": "three earlier deadlines",
    },
}
ledger = freeze("as_agreed", {"questions": {"deadline": question}}, replications=20, jobs=1)
for name, stated in ledger["questions"][0]["forecast"]["classes"].items():
    print(f"{name}: {stated['probability']:.2f}")

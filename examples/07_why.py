"""Ask why two options differ: through whom the effect passes, and which histories show it."""

from simlib.analysis import why

found = why(
    "as_agreed",
    "coalition_strikes",
    baseline="leave_early",
    counterfactual="extend_12m",
    replications=10,
    jobs=1,
)
for sentence in found.sentences()[:4]:
    print(sentence)

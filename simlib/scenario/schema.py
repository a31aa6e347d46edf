"""What a scenario is: frozen models, field by field.

A scenario is complete and explicit once it is resolved. Quantities are numbers or
expressions over parameter names; see `simlib.scenario.expressions`.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from simlib.chance.designs import Design
from simlib.scenario.models import Model, Name, Quantity, Registered


class Place(Model):
    """A governorate, a base in one, or a segment of the border between two."""

    kind: Literal["governorate", "base", "segment"] = "governorate"
    country: Name | None = None
    iso: str | None = None
    within: Name | None = None
    """The governorate a base stands in."""
    ends: tuple[Name, Name] | None = None
    """The governorates a segment joins: where an attempt starts, where it arrives."""


class StateVariable(Registered):
    """A named array over places, or a national scalar."""

    over: Literal["governorate", "base", "segment", "national"] = "national"
    unit: str
    start: Quantity | dict[Name, Quantity] = 0.0
    """One value for all places, or a value by place (places not named start at 0)."""
    signed: bool = False
    """Whether it may fall below 0; stocks may not. Incidents change no signed variable."""
    source: str | None = None
    judgement: str | None = None
    note: str | None = None


class Parameter(Registered):
    """A number the model rests on, with its distribution and where it comes from."""

    distribution: dict[str, dict[str, float]] | None = None
    """``{triangular: {low: 1, mode: 2, high: 3}}``; see `simlib.chance.distributions`."""
    value: float | None = None
    expression: str | None = None
    unit: str
    judgement: str | None = None
    """Why this range, where no source decides."""
    fitted: str | None = None
    """What it was fitted to, how, and as of when; a child's other value drops it."""
    used_by: str | None = None
    note: str | None = None


LEAST_RATIO, MOST_RATIO = 0.05, 20.0
"""Between which the ratio of a power is held."""


class Power(Model):
    """``clip(x / reference, 0.05, 20) ** elasticity``."""

    power: Name
    elasticity: Quantity
    reference: Quantity | Literal["start"] = "start"
    at: Literal["here", "from", "to", "within"] = "here"


class Falling(Model):
    """Falling factorial ``x (x - 1) ... (x - order + 1)``: combinations of particles."""

    falling: Name
    order: Annotated[int, Field(ge=1, le=4)] = 1
    at: Literal["here", "from", "to", "within"] = "here"


class Value(Model):
    """The state variable itself, as a multiplier (0 or more)."""

    value: Name
    at: Literal["here", "from", "to", "within"] = "here"


class Table(Model):
    """A multiplier by the value of a posture, or by calendar month."""

    table: Name
    """A posture's name, or ``calendar.month``."""
    values: dict[str, Quantity]
    """Multiplier by state name; months are ``1`` to ``12``. Every state is named."""


class Shield(Model):
    """``1 - efficacy * x1 * x2 ...`` with every x clipped to 0-1."""

    shield: tuple[Name, ...]
    efficacy: Quantity
    at: Literal["here", "from", "to", "within"] = "here"


Factor: TypeAlias = Power | Falling | Value | Table | Shield


class Gate(Model):
    """Open while the variable is above zero, or the posture is in one of the states."""

    variable: Name
    states: tuple[str, ...] | None = None
    at: Literal["here", "from", "to", "within"] = "here"


class Mark(Model):
    """What is drawn when an incident happens; one uniform each, by inversion."""

    probability: Quantity | dict[Name, Quantity] | None = None
    """A yes/no mark: its probability (by place)."""
    factors: dict[Name, Factor] = {}
    """Multipliers of the probability; the product is clipped to 0-1."""
    law: dict[str, dict[str, Quantity]] | None = None
    """A count: ``{severity: {one: .13, mean: 3.6, exponent: 2.5}}``, ``{poisson: {mean: .2}}``,
    ``{geometric: {mean: 3}}``, ``{lognormal: {median: 300, p95: 1000}}``,
    ``{fixed: {value: 5}}``; see `simlib.chance.inversion_tables`."""
    share: tuple[Quantity, Quantity] | None = None
    """A share between two ends, uniform."""
    when: str | None = None
    """A yes/no mark that must be yes (``not NAME``: must be no); else the mark is 0."""


class Effect(Model):
    """A change of state by an incident: ``by`` times the marks named.

    Stocks stop at 0, and a move takes at most what is there.
    """

    change: Name | None = None
    """The variable that is changed (exactly one of `change` and `move` is given)."""
    move: Name | None = None
    """The variable of which an amount is moved from `at` to `to`."""
    by: Quantity = 1.0
    marks: tuple[Name, ...] = ()
    """Marks the amount is multiplied by."""
    of_stock: bool = False
    """Multiply the amount also by what stands at `at`."""
    at: Literal["here", "from", "to", "within", "neighbor"] = "here"
    to: Literal["here", "from", "to", "within", "neighbor"] | None = None
    when: str | None = None
    """``success``, ``not success``, ``lethal``: a yes/no mark; always, when not given."""


class Excitation(Model):
    """Later incidents that an incident brings about."""

    type: Name
    ratio: Quantity
    """Expected number of direct children, below 1."""
    decay_days: Quantity
    """Mean delay of a child in days (1 / omega)."""
    own_place: Quantity = 0.85
    """Share of children in the same place; the others fall on its neighbors."""


class Trend(Model):
    """A continued log-slope, damped: slope * (1 + d + d^2 + ...) after so many months."""

    log_slope: Quantity
    damping: Quantity = 0.9


class Tempo(Model):
    """What no one models: a monthly log AR(1) with mean multiplier 1."""

    series: Name
    """Groups that name the same series share it."""
    rho: Quantity
    sd: Quantity
    """Stationary standard deviation of the log."""


class Group(Registered):
    """The channels of one incident type that share target, factors, marks and effects."""

    target: Name
    per: Literal["month", "day"] = "month"
    level: dict[Name, Quantity]
    """Expected incidents at the start, factors at 1; immigrants are (I - N') times it."""
    factors: dict[Name, Factor] = {}
    gates: tuple[Gate, ...] = ()
    marks: dict[Name, Mark] = {}
    effects: tuple[Effect, ...] = ()
    trend: Trend | None = None
    tempo: Tempo | None = None
    source: str | None = None
    judgement: str | None = None
    note: str | None = None


class IncidentType(Model):
    """What happens too often for anyone to decide it."""

    description: str = ""
    groups: dict[Name, Group]
    excites: tuple[Excitation, ...] = ()
    notable: dict[Name, float] = {}
    """Least values of marks, any of which makes it notable; empty: every incident is."""


class PostureState(Model):
    """One state of a semi-Markov posture: how long it lasts, what follows."""

    shape: Quantity = 1.0
    """Weibull shape of the sojourn."""
    median_months: Quantity | None = None
    """Median sojourn in months; none for a state that is never left."""
    next: dict[Name, Quantity] = {}
    """Probability of what follows; they sum to 1."""


class Posture(Registered):
    """A semi-Markov process of states that one agent lives."""

    owner: Name
    start: Name
    age_months: Quantity = 0.0
    """How long the first state has lasted at the start of the scenario."""
    states: dict[Name, PostureState]
    source: str | None = None
    judgement: str | None = None
    note: str | None = None


class Decision(Registered):
    """A logit: P = logistic(intercept + sum of weight * what is seen)."""

    intercept: Quantity
    weights: dict[Name, Quantity] = {}
    judgement: str | None = None
    note: str | None = None


class AgentEntry(Model):
    """The catalogue entry of an agent: what it needs and what it may change."""

    description: str = ""
    parameters: tuple[Name, ...] = ()
    decisions: tuple[Name, ...] = ()
    writes: tuple[Name, ...] = ()
    active: bool = True


class Milestone(Model):
    """A dated step of the agreed plan."""

    date: dt.date
    source: str | None = None
    conditional_on: Name | None = None
    """Another milestone that must have been met first."""
    note: str | None = None


class MilestoneChange(Model):
    """What an option does to a milestone: shift, extend, cancel, or move to a date."""

    shift: str | None = None
    """``12 months``, ``-3 months``, ``90 days``."""
    extend: str | None = None
    """As shift, and never earlier."""
    date: dt.date | None = None
    cancel: bool = False
    conditional_on: Name | None = None
    forced: bool = False
    """Nobody decides it: it is given."""
    announced: dt.date | None = None
    """Nobody acts differently before; the scenario's start when not given."""


class Option(Model):
    """A named variation of the scenario that is to be compared."""

    description: str = ""
    of: Name | None = None
    """Another option that this one goes on from: all that one changes holds here too."""
    at: dt.date | None = None
    """The fork: what it changes itself is not known before; when it says, if not given."""
    timeline: dict[Name, MilestoneChange] = {}
    parameters: dict[Name, Parameter] = {}
    """Parameters that this option replaces."""


class Outcome(Model):
    """A number (or a class) per run. Exactly one of the first seven keys is given."""

    count: Name | tuple[Name, ...] | None = None
    """Incidents of these types."""
    total: Name | None = None
    """Sum of a mark over incidents of `of`."""
    state: Name | None = None
    """A state variable on a date: summed over places (stocks) or as `reduce` says."""
    milestone: Name | None = None
    posture: Name | None = None
    """Whether (1/0) any of `states` was reached in the window."""
    decision: Name | None = None
    """Number of yes-decisions of that name in the window."""
    series: Name | None = None
    """Incidents as a source counts them."""
    of: Name | tuple[Name, ...] | None = None
    place: Name | tuple[Name, ...] | None = Field(default=None, alias="in")
    """A country, or places."""
    target: Name | None = None
    having: dict[Name, float] = {}
    """Least value of marks: ``{lethal: 1}``."""
    states: tuple[Name, ...] = ()
    classes: tuple[Name, ...] = ()
    """Of a milestone: the outcome is a class."""
    measure: Literal["class", "months_late", "months_from_start", "share_left"] | None = None
    """Of a milestone without classes: a number."""
    reduce: Literal["sum", "mean", "min", "max"] = "sum"
    start: dt.date | None = Field(default=None, alias="from")
    end: dt.date | None = Field(default=None, alias="to")
    on: dt.date | None = None
    unit: str = ""
    description: str = ""


class SeriesRow(Model):
    """Which incidents a source counts, and how likely."""

    incident: Name
    place: Name | tuple[Name, ...] | None = Field(default=None, alias="in")
    target: Name | None = None
    having: dict[Name, float] = {}
    below: dict[Name, float] = {}
    """Marks that must stay below: ``{lethal: 1}`` for incidents without a death."""
    probability: Quantity = 1.0
    """That the source reports one."""


class Series(Model):
    """A published series: its rows, who counts it, and the name it is published under."""

    description: str = ""
    source: str | None = None
    publisher: Literal["ucdp", "press", "official", "monitors"] | None = None
    counted_by: Name | None = None
    """A body counts an incident in one of its series at most."""
    published_as: Name | None = None
    vintages: dict[Name, dict[str, dict[str, float]]] = {}
    """Later releases: the distribution of their count over the first one's."""
    lag_days: Annotated[float, Field(ge=0, le=3650)] = 0.0
    """Days from the end of a month until the series has counted it."""
    rows: tuple[SeriesRow, ...]


MOST_REPLICATIONS = 10_000_000
"""Most replications of a scenario; each is told apart by 32 bits in all that is stored."""


class Scenario(Model):
    """One complete description of what is simulated, fully explicit."""

    simlib: Literal[1]
    name: Name
    context_of_use: str
    as_of: dt.date | None = None
    start: dt.date
    end: dt.date
    places: dict[Name, Place]
    neighbors: tuple[tuple[Name, Name], ...] = ()
    state: dict[Name, StateVariable] = {}
    parameters: dict[Name, Parameter] = {}
    incidents: dict[Name, IncidentType] = {}
    postures: dict[Name, Posture] = {}
    decisions: dict[Name, Decision] = {}
    agents: dict[Name, AgentEntry] = {}
    timeline: dict[Name, Milestone] = {}
    options: dict[Name, Option] = {}
    series: dict[Name, Series] = {}
    outcomes: dict[Name, Outcome] = {}
    history_days: Annotated[float, Field(ge=0, le=3650)] = 90.0
    """Days before the start drawn at its levels, for excitation and what agents look back on."""
    replications: Annotated[int, Field(ge=1, le=MOST_REPLICATIONS)] = 1000
    root_seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    design: Design = "random"
    """How the parameters of all replications are drawn together."""

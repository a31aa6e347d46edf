"""What a scenario is: frozen models, field by field.

A scenario is complete and explicit once it is resolved. Quantities are numbers or
expressions over parameter names; see `simlib.scenario.expressions`. What a name refers to
and between which bounds a quantity lies is said here, beside the field, and checked in
`simlib.scenario.checking`.
"""

from __future__ import annotations

import datetime as dt
import importlib
import math
import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from simlib.chance.designs import Design


@dataclass(frozen=True, slots=True)
class Ref:
    """Says that a name refers to something of the scenario."""

    what: str
    """What it is called in messages."""
    among: str = ""
    """A key of `Context.vocabularies`, where it is another word than `what`."""


@dataclass(frozen=True, slots=True)
class Within:
    """Says between which bounds a quantity lies, at the means of the parameters."""

    rule: str
    low: float
    high: float


Quantity: TypeAlias = float | str
"""A number, or an arithmetic expression over parameter names."""
Probability = Annotated[Quantity, Within("between 0 and 1", 0.0, 1.0)]
Positive = Annotated[Quantity, Within("> 0", math.ulp(0.0), math.inf)]
STOCK = Within(">= 0", 0.0, math.inf)
Stock = Annotated[Quantity, STOCK]
SHARE = Within("between 0 and 1, as a share", 0.0, 1.0)

Name = Annotated[str, Field(pattern=r"^[^\W\d][\w .'&-]*$", max_length=80)]
"""An identifier: letters of any script, digits, ``_ . ' & -`` and spaces."""
Words = Annotated[str, Field(max_length=100, pattern=r"^[^\r\n]*$")]
"""A few words for people, on one line."""
AgentName = Annotated[Name, Ref("agent")]
GovernorateName = Annotated[Name, Ref("governorate")]
IncidentName = Annotated[Name, Ref("incident type")]
MarkName = Annotated[Name, Ref("mark")]
MilestoneName = Annotated[Name, Ref("milestone")]
OutcomeName = Annotated[Name, Ref("outcome")]
PlaceName = Annotated[Name, Ref("place")]
PostureName = Annotated[Name, Ref("posture")]
Region = Annotated[Name, Ref("place or country")]
StoredName = Annotated[Name, Ref("state variable", "state")]
VariableName = Annotated[Name, Ref("state variable")]

Amount: TypeAlias = Quantity | dict[Name, Quantity]
"""One number; or over several places ``{total: 900}``, ``{each: 0.5}``, or by place."""
EACH, TOTAL = "each", "total"
RELATIVE = (("times", 1.0), ("add", 0.0))
"""How a parameter is said relative to what it is, and what stands where that is not said."""

Where: TypeAlias = Literal["here", "from", "to", "within"]
"""The place that is meant, seen from where an incident happens."""


def several(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """One name, several or none as a tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


class Model(BaseModel):
    """Base of every scenario model: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Registered(Model):
    """Base of what may rest on a row of the register, ``seeds/parameters.csv``."""

    register_id: str | None = Field(default=None, alias="register")
    """Row the number comes from. (Abstract classes have a method named ``register``.)"""

    @property
    def register(self) -> str | None:
        """Row of the register, as `register_id`."""
        return self.register_id


class Place(Model):
    """A governorate, a base in one, or a segment of the border between two."""

    kind: Literal["governorate", "base", "segment"] = "governorate"
    country: Name | None = None
    iso: str | None = None
    within: GovernorateName | None = None
    """The governorate a base stands in."""
    ends: tuple[GovernorateName, GovernorateName] | None = None
    """The governorates a segment joins: where an attempt starts, where it arrives."""


class StateVariable(Registered):
    """A named array over places, or a national scalar."""

    over: Literal["governorate", "base", "segment", "national"] = "national"
    unit: str
    start: Quantity | dict[Name, Quantity] = 0.0
    """One value for all places, or a value by place (places not named start at 0)."""
    signed: bool = False
    """Whether it may fall below 0; stocks may not. Incidents change no signed variable."""
    map: Words | None = None
    """What maps of it are called; those that have it are drawn in the report, and with runs."""
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

    def value_names(self, name: str) -> tuple[str, ...]:
        """The names it gives values to: a Dirichlet's parts, else its own."""
        weights = (self.distribution or {}).get("dirichlet")
        return (name,) if weights is None else tuple(f"{name}.{part}" for part in weights)


LEAST_RATIO, MOST_RATIO = 0.05, 20.0
"""Between which the ratio of a power is held."""


class Power(Model):
    """``clip(x / reference, 0.05, 20) ** elasticity``."""

    power: VariableName
    elasticity: Quantity
    reference: Positive | Literal["start"] | dict[PlaceName, Positive] = "start"
    """A number, or one by each place where the variable stands; a fixed one keeps the factor
    in absolute terms, whatever is changed at the start."""
    at: Where = "here"


class Falling(Model):
    """Falling factorial ``x (x - 1) ... (x - order + 1)``: combinations of particles."""

    falling: VariableName
    order: Annotated[int, Field(ge=1, le=4)] = 1
    at: Where = "here"


class Value(Model):
    """The state variable itself, as a multiplier (0 or more)."""

    value: VariableName
    at: Where = "here"


class Table(Model):
    """A multiplier by the value of a posture, or by calendar month."""

    table: Annotated[Name, Ref("posture", "postures and months")]
    """A posture's name, or ``calendar.month``."""
    values: dict[str, Stock]
    """Multiplier by state name; months are ``1`` to ``12``. Every state is named."""


class Shield(Model):
    """``1 - efficacy * x1 * x2 ...`` with every x clipped to 0-1."""

    shield: tuple[VariableName, ...]
    efficacy: Probability
    at: Where = "here"


Factor: TypeAlias = Power | Falling | Value | Table | Shield


class Gate(Model):
    """Open while the variable is above a quantity, or the posture is in one of the states."""

    variable: VariableName
    above: Stock = 0.0
    states: tuple[str, ...] | None = None
    at: Where = "here"


class Mark(Model):
    """What is drawn when an incident happens; one uniform each, by inversion."""

    probability: Probability | dict[PlaceName, Probability] | None = None
    """A yes/no mark: its probability (by place)."""
    factors: dict[Name, Factor] = {}
    """Multipliers of the probability; the product is clipped to 0-1."""
    law: dict[str, dict[str, Quantity]] | None = None
    """A count: ``{severity: {one: .13, mean: 3.6, exponent: 2.5}}``, ``{poisson: {mean: .2}}``,
    ``{geometric: {mean: 3}}``, ``{lognormal: {median: 300, p95: 1000}}``,
    ``{fixed: {value: 5}}``; with ``least: 100`` given that it is so many or more. See
    `simlib.chance.inversion_tables`."""
    share: tuple[Probability, Probability] | None = None
    """A share between two ends, uniform."""
    when: str | None = None
    """A yes/no mark that must be yes (``not NAME``: must be no); else the mark is 0."""


class IncidentEffect(Model):
    """A change of state by an incident: ``by`` times the marks named.

    Stocks stop at 0, and a move takes at most what is there.
    """

    change: VariableName | None = None
    """The variable that is changed (exactly one of `change` and `move` is given)."""
    move: VariableName | None = None
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

    type: IncidentName
    ratio: Annotated[Quantity, Within("0 or more and below 1", 0.0, 1 - 1e-12)]
    """Expected number of direct children, below 1."""
    decay_days: Positive
    """Mean delay of a child in days (1 / omega)."""
    own_place: Probability = 0.85
    """Share of children in the same place; the others fall on its neighbors."""


class Trend(Model):
    """A continued log-slope, damped: slope * (1 + d + d^2 + ...) after so many months."""

    log_slope: Quantity
    damping: Probability = 0.9


class Tempo(Model):
    """What no one models: a monthly log AR(1) with mean multiplier 1."""

    series: Name
    """Groups that name the same series share it."""
    rho: Annotated[Quantity, Within("between -1 and 1", 1e-9 - 1, 1 - 1e-9)]
    sd: Stock
    """Stationary standard deviation of the log."""


class IncidentGroup(Registered):
    """The channels of one incident type that share target, factors, marks and effects."""

    target: Name
    per: Literal["month", "day"] = "month"
    level: dict[PlaceName, Stock]
    """Expected incidents at the start, factors at 1; immigrants are (I - N') times it."""
    factors: dict[Name, Factor] = {}
    gates: tuple[Gate, ...] = ()
    marks: dict[MarkName, Mark] = {}
    effects: tuple[IncidentEffect, ...] = ()
    trend: Trend | None = None
    tempo: Tempo | None = None
    source: str | None = None
    judgement: str | None = None
    note: str | None = None


class IncidentType(Model):
    """What happens too often for anyone to decide it."""

    description: str = ""
    groups: dict[Name, IncidentGroup]
    excites: tuple[Excitation, ...] = ()
    notable: dict[MarkName, float] = {}
    """Least values of marks, any of which makes it notable; empty: every incident is."""


class PostureState(Model):
    """One state of a semi-Markov posture: how long it lasts, what follows."""

    shape: Positive = 1.0
    """Weibull shape of the sojourn."""
    median_months: Positive | None = None
    """Median sojourn in months; none for a state that is never left."""
    next: dict[Name, Probability] = {}
    """Probability of what follows; they sum to 1."""


class Posture(Registered):
    """A semi-Markov process of states that one agent lives."""

    owner: AgentName
    start: Name
    age_months: Annotated[Quantity, Within("between 0 and 12000", 0.0, 12_000.0)] = 0.0
    """How long the first state has lasted at the start of the scenario: 1,000 years at most."""
    states: dict[Name, PostureState]
    source: str | None = None
    judgement: str | None = None
    note: str | None = None


class DecisionLogit(Registered):
    """A logit: P = logistic(intercept + sum of weight * what is seen)."""

    intercept: Quantity
    weights: dict[Name, Quantity] = {}
    judgement: str | None = None
    note: str | None = None


class Removal(Model):
    """What goes with an actor that is taken away."""

    zero: tuple[StoredName, ...] = ()
    """State variables that become 0 everywhere."""
    set: dict[StoredName, Amount] = {}
    """State variables that become something else."""
    close: tuple[str, ...] = ()
    """What recurs no more: types of incidents, or ``TYPE.GROUP``."""
    rest: dict[PostureName, Name] = {}
    """Postures, and the state in which they rest as long as it is away."""

    def closes(self, type_: str, group: str) -> bool:
        """Whether the incidents of a group recur no more."""
        return type_ in self.close or f"{type_}.{group}" in self.close


class AgentEntry(Model):
    """The catalogue entry of an agent: what it needs and what it may change."""

    description: str = ""
    parameters: tuple[Annotated[Name, Ref("parameter", "values")], ...] = ()
    decisions: tuple[Name, ...] = ()
    writes: tuple[Annotated[Name, Ref("state variable", "written")], ...] = ()
    active: bool = True
    on_removal: Removal | None = None
    """What goes with it when it is removed; an agent that does not say cannot be."""


class Milestone(Model):
    """A step of the agreed plan, dated or not."""

    date: dt.date | None = None
    """None: it never comes, until an option, an event or an agent gives it a date."""
    source: str | None = None
    conditional_on: MilestoneName | None = None
    """Another milestone that must have been met first."""
    note: str | None = None


def shifted(date: dt.date, by: str) -> dt.date:
    """A date moved by ``12 months``, ``-3 months`` or ``90 days``.

    A day past the end of the goal's month becomes its last day, and the last day of a
    month stays one.
    """
    amount, unit = by.split()
    if unit.rstrip("s") == "day":
        return date + dt.timedelta(days=int(amount))
    months = int(amount) * (12 if unit.rstrip("s") == "year" else 1)
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    following = dt.date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (following - dt.timedelta(days=1)).day
    is_last = (date + dt.timedelta(days=1)).day == 1
    return dt.date(year, month + 1, last if is_last else min(date.day, last))


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def moved(date: dt.date | None, to: str) -> dt.date | None:
    """A date (or none) moved to another that is written out, or by a shift; none stays none."""
    if _DATE.fullmatch(to):
        return dt.date.fromisoformat(to)
    return None if date is None else shifted(date, to)


class MilestoneChange(Model):
    """What an option does to a milestone: shift, extend, cancel, or move to a date."""

    shift: str | None = None
    """``12 months``, ``-3 months``, ``90 days``."""
    extend: str | None = None
    """As shift, and never earlier."""
    date: dt.date | None = None
    cancel: bool = False
    conditional_on: MilestoneName | None = None
    forced: bool = False
    """Nobody decides it: it is given."""
    announced: dt.date | None = None
    """Nobody acts differently before; the scenario's start when not given."""


class Event(Model):
    """What happens to the world on a date, or when a condition comes to hold, by no decision."""

    on: dt.date | None = None
    when: str | None = None
    """A condition, as `simlib.scenario.event_conditions` reads it."""
    every: bool = False
    """Whether it happens each time the condition comes to hold, not only the first."""
    announced: dt.date | None = None
    """From when on moves are known and a condition is looked at; nobody knows before."""
    place: Region | tuple[Region, ...] | None = Field(default=None, alias="in")
    """Where state changes: a country, or places; everywhere when not given."""
    set: dict[StoredName, Amount] = {}
    times: dict[StoredName, Quantity] = {}
    add: dict[StoredName, Amount] = {}
    enter: dict[PostureName, Name] = {}
    parameter: dict[Annotated[Name, Ref("parameter")], Amount] = {}
    """Another number from then on, for who asks for it and for what recurs: a quantity, or
    ``{times: 2}``, ``{add: 0.1}`` (first the one, then the other) of what it is."""
    move: dict[MilestoneName, str] = {}
    """A date, or a shift from where it stands."""
    forced: bool = False
    """Whether the milestones it moves are given, so that nobody decides them."""
    cancel: MilestoneName | tuple[MilestoneName, ...] = ()
    complete: MilestoneName | tuple[MilestoneName, ...] = ()
    remove: AgentName | tuple[AgentName, ...] = ()
    """Actors that are taken away, with what their entries say goes with them."""
    admit: AgentName | tuple[AgentName, ...] = ()
    """Actors that come back; their stocks are set."""
    description: str = ""


class Option(Model):
    """A named variation of the scenario that is to be compared."""

    description: str = ""
    of: Annotated[Name, Ref("option")] | None = None
    """Another option that this one goes on from: all that one changes holds here too."""
    at: dt.date | None = None
    """The fork: what it changes itself is not known before; when it says, if not given."""
    timeline: dict[MilestoneName, MilestoneChange] = {}
    parameters: dict[Annotated[Name, Ref("parameter")], Parameter] = {}
    """Parameters that this option replaces."""
    events: dict[Name, Event] = {}
    """Events beside the scenario's; one of the same name stands in its place."""
    remove: AgentName | tuple[AgentName, ...] = ()
    """Actors that are not there, from the start or from the fork on."""


class Outcome(Model):
    """A number (or a class) per run. Exactly one of the first seven keys is given."""

    count: IncidentName | tuple[IncidentName, ...] | None = None
    """Incidents of these types."""
    total: MarkName | None = None
    """Sum of a mark over incidents of `of`."""
    state: StoredName | None = None
    """A state variable on a date: summed over places (stocks) or as `reduce` says."""
    milestone: MilestoneName | None = None
    posture: PostureName | None = None
    """Whether (1/0) any of `states` was reached in the window."""
    decision: Annotated[Name, Ref("decision")] | None = None
    """Number of yes-decisions of that name in the window."""
    series: Annotated[Name, Ref("series")] | None = None
    """Incidents as a source counts them."""
    of: IncidentName | tuple[IncidentName, ...] | None = None
    place: Region | tuple[Region, ...] | None = Field(default=None, alias="in")
    """A country, or places."""
    target: Name | None = None
    having: dict[MarkName, float] = {}
    """Least value of marks: ``{lethal: 1}``."""
    states: tuple[Name, ...] = ()
    classes: tuple[Annotated[Name, Ref("class")], ...] = ()
    """Of a milestone: the outcome is a class."""
    measure: Literal["class", "months_late", "months_from_start", "share_left"] | None = None
    """Of a milestone without classes: a number."""
    reduce: Literal["sum", "mean", "min", "max"] = "sum"
    start: dt.date | MilestoneName | None = Field(default=None, alias="from")
    """First day, or the milestone whose completion a window of `months` or `days` follows."""
    end: dt.date | None = Field(default=None, alias="to")
    months: Annotated[int, Field(ge=1, le=1200)] | None = None
    days: Annotated[int, Field(ge=1, le=36525)] | None = None
    on: dt.date | None = None
    unit: str = ""
    label: Words = ""
    """What people read in its place: sentence case, no unit; its name, when not given."""
    topic: Words = ""
    """What it is about: tables group by it. Topics are ordered as they first stand."""
    description: str = ""


class Claim(Model):
    """What may be so at the end of a run, as the rest of a sentence: ``the stay is extended``."""

    says: Words
    classes: tuple[Annotated[Name, Ref("class")], ...] = ()
    """Classes in which it is so; none for a yes/no, which is so where it is yes."""


class EndingTerm(Model):
    """A class of an outcome in words, and what exactly is meant."""

    label: Words
    means: str


class Gone(Model):
    """What is over some time after the start, by an outcome in months."""

    says: Words
    outcome: OutcomeName


class DecisionPoint(Model):
    """What is decided next, by the names of decisions."""

    says: Words
    names: tuple[Annotated[Name, Ref("decision")], ...]


class Question(Model):
    """What a scenario is asked, and which outcomes answer it."""

    asks: Words
    outcome: OutcomeName
    """Its class, or yes/no, is the answer."""
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]
    """What may be so; the first is what is asked."""
    terms: dict[Annotated[Name, Ref("class")], EndingTerm] = {}
    gone: Gone | None = None
    decision: DecisionPoint | None = None
    follows: tuple[OutcomeName, ...] = ()
    """Outcomes that are told under each ending and under each option."""


class SeriesRow(Model):
    """Which incidents a source counts, and how likely."""

    incident: IncidentName
    place: Region | tuple[Region, ...] | None = Field(default=None, alias="in")
    target: Name | None = None
    having: dict[MarkName, float] = {}
    below: dict[MarkName, float] = {}
    """Marks that must stay below: ``{lethal: 1}`` for incidents without a death."""
    probability: Probability = 1.0
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
    neighbors: tuple[tuple[PlaceName, PlaceName], ...] = ()
    borders: str | None = Field(default=None, exclude=True, repr=False)
    """A file of areas that maps are drawn with, where it lies; that of `neighbors`, if it is one.

    Of a scenario that results hold it is their manifest, which has the outlines.

    No part of what is simulated: it enters neither the explicit form nor any digest.
    """
    state: dict[Name, StateVariable] = {}
    parameters: dict[Name, Parameter] = {}
    incidents: dict[Name, IncidentType] = {}
    postures: dict[Name, Posture] = {}
    decisions: dict[Name, DecisionLogit] = {}
    agents: dict[Name, AgentEntry] = {}
    timeline: dict[Name, Milestone] = {}
    events: dict[Name, Event] = {}
    remove: AgentName | tuple[AgentName, ...] = ()
    """Actors that are not there from the start on."""
    options: dict[Name, Option] = {}
    series: dict[Name, Series] = {}
    outcomes: dict[Name, Outcome] = {}
    question: Question | None = None
    """What it is asked: the answer is told in sentences."""
    history_days: Annotated[float, Field(ge=0, le=3650)] = 90.0
    """Days before the start drawn at its levels, for excitation and what agents look back on."""
    replications: Annotated[int, Field(ge=1, le=MOST_REPLICATIONS)] = 1000
    root_seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    design: Design = "random"
    """How the parameters of all replications are drawn together."""

    def __eq__(self, other: object) -> bool:
        """Whether the same is simulated: where borders lie does not matter."""
        return isinstance(other, Scenario) and self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]  # its fields are mappings

    def _repr_html_(self) -> str:
        """One page for a notebook: what is asked, compared and counted."""
        page = importlib.import_module("simlib.scenario.scenario_page")
        return str(page.html_of(self))

    def value_names(self) -> dict[str, str]:
        """Every name that expressions may mention, with the parameter that gives it."""
        return {
            value: name
            for name, parameter in self.parameters.items()
            for value in parameter.value_names(name)
        }

    def removable(self) -> frozenset[str]:
        """The agents that are removed under some option, or on some date."""
        removed = [self.remove, *(option.remove for option in self.options.values())]
        for events in (self.events, *(option.events for option in self.options.values())):
            removed += [event.remove for event in events.values()]
        return frozenset(name for names in removed for name in several(names))

    def regions_of(self, name: str) -> frozenset[str]:
        """A place and what it lies in: places that are not known lie in themselves.

        A base also lies in its governorate, and a segment in the country where it arrives.
        """
        place = self.places.get(name)
        if place is None:
            return frozenset({name})
        arrives = place.ends[1] if place.ends and not place.country else ""
        around = [self.places.get(other or "") for other in (place.within, arrives)]
        found = (name, place.within, place.country, *(p.country for p in around if p))
        return frozenset(each for each in found if each)

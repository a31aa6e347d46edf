"""The figures of an ensemble: what can be drawn, and what is written beside every run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from simlib.ensemble.environment import versions
from simlib.errors import Problem, ScenarioError
from simlib.files import distinct, slug
from simlib.plot.curves import exit_curve, fan
from simlib.plot.map_values import REPLAYED, incident_types, mapped_states
from simlib.plot.outcome_panels import distribution, flags, gather, probabilities
from simlib.plot.place_maps import map as place_map
from simlib.plot.place_maps import map_page, maps, state_page
from simlib.plot.style import INK, dress, foot, key, page
from simlib.scenario.wording import near_or_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simlib.ensemble import Ensemble

    Draw = Callable[[], Figure | Axes]

_COLUMNS = 4
_PANEL = (3.9, 2.9)


def pages_of(ensemble: Ensemble) -> dict[str, Draw]:
    """What draws each figure that is written beside a run, by its name.

    A page for each topic, months by country, exit curves, and maps where the results hold
    outlines: options stand together in each but the maps, of which each shows one. Maps of
    states are among them where replaying what they show takes little of what the run took.
    """
    drawn: dict[str, Draw] = {}
    if any(each["kind"] == "flag" for each in ensemble.manifest["outcomes"].values()):
        drawn["probabilities"] = partial(probabilities, ensemble)
    for topic, name in _topic_names(list(ensemble.topics)).items():
        drawn[name] = partial(topic_page, ensemble, topic)
    for country, name in distinct(ensemble.countries()).items():
        drawn[f"months-{name}"] = partial(month_page, ensemble, country)
    for milestone, name in distinct(_ended(ensemble)).items():
        drawn[f"exit-{name}"] = partial(exit_curve, ensemble, milestone)
    return drawn | _maps(ensemble)


def _topic_names(topics: list[str]) -> dict[str, str]:
    """What the page of each topic is called: by its first words, where these tell it apart."""
    if len(topics) == 1:
        return {topics[0]: "outcomes"}
    short = [" ".join(topic.split()[:4]) for topic in topics]
    named = short if len(set(short)) == len(topics) else topics
    slugs = distinct(named)
    return {topic: f"topic-{slugs[name]}" for topic, name in zip(topics, named, strict=True)}


def _maps(ensemble: Ensemble) -> dict[str, Draw]:
    """Maps of all types of the first option, and of what the others change."""
    if not ensemble.manifest.get("map", {}).get("areas"):
        return {}
    first, *others = (ensemble.of(option) for option in ensemble.options)
    drawn = _changes("maps", map_page, first, others)
    if mapped_states(first) and _are_states_cheap(first):
        drawn |= _changes("maps-states", state_page, first, others)
    return drawn


def _changes(
    name: str, draw: Callable[..., Any], first: Ensemble, others: Sequence[Ensemble]
) -> dict[str, Draw]:
    """A drawing of one option, and one of what each other option changes."""
    changes = {f"{name}-change-{slug(e.options[0])}": partial(draw, e, first) for e in others}
    return {name: partial(draw, first), **changes}


def _are_states_cheap(ensemble: Ensemble) -> bool:
    """Whether a tenth of the replications at most is replayed, by what made them."""
    made_by, agents = ensemble.manifest["made_by"][-1], ensemble.manifest["agents"]
    is_same = not agents and made_by.get("source") == versions()["source"]
    return is_same and len(ensemble.replications) >= 10 * REPLAYED


def one_by_one(ensemble: Ensemble) -> dict[str, Draw]:
    """What draws each outcome, type of incidents and state by place, by its own name."""
    drawn: dict[str, Draw] = {
        name: partial(distribution, ensemble, name) for name in ensemble.manifest["outcomes"]
    }
    for type_ in ensemble.manifest["types"]:
        drawn[type_] = partial(fan, ensemble, type_)
    if "map" in ensemble.manifest:
        for name in (*incident_types(ensemble), *mapped_states(ensemble)):
            drawn |= _maps_of(ensemble, name)
    return drawn


def _maps_of(ensemble: Ensemble, name: str) -> dict[str, Draw]:
    first, *others = (ensemble.of(option) for option in ensemble.options)
    drawn: dict[str, Draw] = {
        f"map-{name}": partial(place_map, first, name),
        f"map-{name}-by-quarter": partial(maps, first, name),
    }
    for other in others:
        of = f"map-{name}-change-{slug(other.options[0])}"
        drawn[of] = partial(place_map, other, name, against=first)
    return drawn


def chosen(ensemble: Ensemble, names: Iterable[str]) -> dict[str, Draw]:
    """What draws each figure that is asked for by name.

    Raises
    ------
    ScenarioError
        There is none of that name.
    """
    known: Mapping[str, Draw] = pages_of(ensemble) | one_by_one(ensemble)
    wanted = list(names)
    for name in wanted:
        if name not in known:
            rule = f"no figure of that name (got {name!r})"
            raise ScenarioError([Problem("outcome", rule, near_or_all(name, known))])
    return {name: known[name] for name in wanted}


def _ended(ensemble: Ensemble) -> list[str]:
    """Milestones that come to an end in some replication.

    A date that nobody settles or completes, such as a vote, is no exit; where none is, all are.
    """
    ends = ensemble.milestones
    ended = set(ends.loc[ends.completed_at.notna() | ends.classification.notna(), "milestone"])
    return [name for name in ensemble.manifest["milestones"] if name in ended or not ended]


def topic_page(ensemble: Ensemble, topic: str) -> Figure:
    """Draw the outcomes of a topic side by side: probabilities first, then a panel each."""
    about = ensemble.manifest["outcomes"]
    names = ensemble.topics[topic]
    asked = [name for name in names if about[name]["kind"] == "flag"]
    drawings: list[Callable[..., Any]] = []
    if asked:
        drawings.append(partial(_flag_panel, ensemble, asked))
    others = [name for name in names if about[name]["kind"] != "flag"]
    gather(ensemble)
    drawings += [partial(distribution, ensemble, name, is_small=True) for name in others]
    title = topic or "Outcomes"
    note = (
        "above the bars: median and 5-95 % of replications, axes end at the 99 % quantile where "
        "the largest lie far beyond it; probabilities with 95 % intervals"
    )
    return _page(ensemble, drawings, title, note)


def _flag_panel(ensemble: Ensemble, names: Sequence[str], ax: Axes) -> None:
    flags(ensemble, names, ax, is_small=True)
    dress(ax, "What comes about", width=38)


def month_page(ensemble: Ensemble, country: str) -> Figure:
    """Draw the months of each type of incidents that happen in a country."""
    parts = [ensemble.of(option) for option in ensemble.options]
    totals = [part.monthly_totals()[country] for part in parts]
    types = [
        type_ for type_ in ensemble.manifest["types"] if any(each[type_] > 0 for each in totals)
    ]
    drawings = [partial(fan, ensemble, type_, country, is_small=True) for type_ in types]
    several = "line: median; band: 25-75 % of replications"
    one = "line: median; bands: 5-95 % and 25-75 % of replications"
    note = f"{several if len(parts) > 1 else one}; of probabilities 95 % intervals"
    return _page(ensemble, drawings, f"Incidents by month, {country}", note)


def _page(
    ensemble: Ensemble, drawings: Sequence[Callable[..., Any]], title: str, note: str
) -> Figure:
    """Panels under a title, with what each option looks like, and what the page rests on."""
    figure = page(drawings, _COLUMNS, _PANEL)
    if len(ensemble.options) > 1:
        key(figure, ensemble.options)
    figure.suptitle(title, x=0.012, ha="left", color=INK, size=13, weight="bold")
    foot(None, figure.axes[0], ensemble, note)
    return figure

"""The joint committee: whether two governments keep the deadline in Iraq."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Protocol

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import HALF_YEAR_DAYS, QUARTER_DAYS, logistic, months, twofold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simlib.world.world import World

IRAQ = "iraq_mission_end"
CLASSES = ("formally_extended", "met", "relabelled", "slipped")
UNEXTENDED = ("met", "relabelled", "slipped")
SIGNS: dict[str, dict[str, int]] = {
    "baghdad": {
        "threat": 1,
        "capability_gap": 1,
        "environment": 1,
        "sovereignty": -1,
        "domestic": -1,
    },
    "washington": {"threat": 1, "environment": 1, "us_wish_to_leave": -1, "force_protection": -1},
}
"""What each government weighs, and whether it speaks for an extension or against."""
ASSENTS = {"baghdad": "baghdad_assents", "washington": "washington_assents"}
GROUNDS = tuple(dict.fromkeys(ground for signs in SIGNS.values() for ground in signs))
"""Each a level: 0 is none of it."""
MEETINGS = ("first", "second", "third")
"""The scheduled meetings: in March, June and September of the year of the deadline."""
FEDERAL = ("Anbar", "Baghdad", "Diyala", "Kirkuk", "Nineveh", "Salah al-Din")
EVE = 1.0
"""It concludes a day ahead, so that who acts on the day itself knows the outcome."""


class Numbers(Protocol):
    """Whoever knows the parameters of a replication."""

    def parameter(self, name: str) -> float:
        """A parameter by its name."""


def base_logits(numbers: Numbers) -> dict[str, float]:
    """The log-odds of each government's assent before its intercept and its grounds.

    How often deadlines are extended is shared evenly between two who must both assent; that Iraq
    refused a third year (C1-THIRD-YEAR) stands in Baghdad's.
    """
    weights = _class_weights(numbers)
    each = math.sqrt(weights["formally_extended"] / math.fsum(weights.values()))
    logit = math.log(each) - math.log1p(-each)
    return {
        "baghdad": logit + numbers.parameter("committee.delta_extended"),
        "washington": logit,
    }


def _class_weights(numbers: Numbers) -> dict[str, float]:
    weights = {name: max(1e-12, numbers.parameter(f"committee.pi.{name}")) for name in CLASSES}
    weights["relabelled"] *= math.exp(numbers.parameter("committee.delta_relabelled"))
    return weights


def weights(numbers: Numbers) -> dict[str, dict[str, float]]:
    """What each of a government's grounds adds to the log-odds that it assents, a level of 1.

    Weights are positive and the signs are the model's, so that neither more of a ground that
    speaks against nor more weight on it ever raises the probability.
    """
    return {
        government: {
            ground: sign * numbers.parameter(f"committee.{government}_{ground}")
            for ground, sign in signs.items()
        }
        for government, signs in SIGNS.items()
    }


def score(weights: Mapping[str, float], levels: Mapping[str, float]) -> float:
    """What a government's grounds add to the log-odds that it assents."""
    return sum(weight * levels[ground] for ground, weight in weights.items())


def leanings(numbers: Numbers) -> dict[str, tuple[float, dict[str, float]]]:
    """Each government's log-odds of assent without grounds, and its weights on them."""
    intercepts = {
        "baghdad": numbers.parameter("committee.intercept_baghdad"),
        "washington": numbers.parameter("committee.intercept_washington"),
    }
    weighs = weights(numbers)
    return {
        name: (base + intercepts[name], weighs[name]) for name, base in base_logits(numbers).items()
    }


def assents(
    leanings: Mapping[str, tuple[float, Mapping[str, float]]], levels: Mapping[str, float]
) -> dict[str, float]:
    """The probability that each government assents under some grounds."""
    return {
        name: logistic(alone + score(weighs, levels)) for name, (alone, weighs) in leanings.items()
    }


def other_ends(numbers: Numbers) -> dict[str, float]:
    """How a deadline that is not extended ends: the probability of each other class."""
    weights = _class_weights(numbers)
    weights["relabelled"] *= math.exp(numbers.parameter("committee.offset_relabelled"))
    weights["slipped"] *= math.exp(numbers.parameter("committee.offset_slipped"))
    total = math.fsum(weights[name] for name in UNEXTENDED)
    return {name: weights[name] / total for name in UNEXTENDED}


class JointCommittee(Agent):
    """Meets before the deadline, at alarms too, and ends it in exactly one class.

    An extension needs both governments, each with its own grounds and luck; an assent stands once
    given. A scheduled meeting carries a share w of the decision, h = 1 - (1 - P)^w for each of
    them, so meeting more often does not raise P, and an extension has the probability that is
    the product of both; an alarm takes a part of the next meeting's share forward. They meet
    again before an extended or a slipped date ends, and the class stays what it was.
    """

    name = "committee"
    values: ClassVar = {
        **dict.fromkeys(ASSENTS.values(), "of the decision carried by this meeting"),
        "extends": "months longer",
        "partnership": "US troops on federal bases from then on",
    }

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        self._left: list[tuple[float, float]] = []
        self._given: set[str] = set()
        self._is_over = self._has_asked = False

    def live(self) -> Life:
        """Weigh each month; meet until an extension is agreed or the deadline comes."""
        self._open_term()
        while True:
            yield self.wait(
                months=1,
                until=self._next_date(),
                notice=("detention_break", "militia_attack"),
                posture="israel_iran.posture",
                milestone=IRAQ,
            )
            if self.woken == "review":
                self._weigh()
            if not self._is_over:
                self._act()

    def _open_term(self) -> None:
        """Schedule the meetings before the date as it stands; those gone by join the next."""
        self._given.clear()
        self._left, passed = [], 0.0
        for meeting in MEETINGS:
            lead = self.parameter(f"committee.lead_{meeting}")
            share = self.parameter(f"committee.share_{meeting}") + passed
            if self.date_of(IRAQ) - lead < self.now:
                passed = share
            else:
                self._left.append((lead, share))
                passed = 0.0
        self._left.sort(reverse=True)

    def _next_date(self) -> float:
        """The next meeting, or the eve of the deadline."""
        if self._is_over:
            return math.inf
        is_given = self.is_forced(IRAQ) or self.see("coalition.leaving") > 0.0
        lead = EVE if is_given or not self._left else self._left[0][0]
        return max(self.now, self.date_of(IRAQ) - lead)

    def _act(self) -> None:
        ahead = self.date_of(IRAQ) - self.now
        is_alarm = self.woken == "notice" or (
            self.woken == "posture" and self.posture("israel_iran.posture") == "war"
        )
        if self.is_complete(IRAQ):
            self._is_over = True
        elif ahead <= EVE:
            self._conclude()
        elif self.is_forced(IRAQ) or self.see("coalition.leaving") > 0.0 or not self._left:
            return
        elif self.now >= self.date_of(IRAQ) - self._left[0][0]:
            _, share = self._left.pop(0)
            self._meet(share)
        elif is_alarm:
            lead, share = self._left[0]
            taken = self.parameter("committee.alarm_share") * share
            self._left[0] = lead, share - taken
            self._meet(taken)

    # grounds

    def _weigh(self) -> None:
        for ground, level in self._levels().items():
            self.change(f"committee.{ground}", to=level)
        chances = self._chances()
        self.change("committee.baghdad", to=chances["baghdad"])
        self.change("committee.washington", to=chances["washington"])
        self.change("committee.extension", to=math.prod(chances.values()))

    def _chances(self) -> dict[str, float]:
        levels = {ground: self.see(f"committee.{ground}") for ground in GROUNDS}
        return assents(self.once(leanings), levels)

    def _levels(self) -> dict[str, float]:
        quarter = self.recent("isis_attack", "Iraq", days=QUARTER_DAYS)
        demand = self.parameter("committee.demand_weight") * self.see("iraq.exit_demand")
        return {
            "threat": twofold(quarter / self.parameter("committee.threat_reference")),
            "capability_gap": self._capability_gap(),
            "environment": self._environment(),
            "sovereignty": math.log1p(self.see("iraq.sovereignty_pressure")),
            "domestic": self.see("iraq.vote_nearness") + demand,
            "us_wish_to_leave": self.parameter("committee.us_administration"),
            "force_protection": math.log1p(self.see("coalition.force_pressure")),
        }

    def _capability_gap(self) -> float:
        """What Iraq lacks, weighted: surveillance, F-16, air defense, border, readiness."""
        isr = sum(self.see("isf.isr", place) for place in FEDERAL) / len(FEDERAL)
        readiness = sum(self.see("isf.readiness", place) for place in FEDERAL) / len(FEDERAL)
        radars = self.see("isf.radar_cover") / self.parameter("capability.radars_needed")
        bought = (min(1.0, radars), self.see("isf.drone_radar"), self.see("isf.air_defense"))
        have = {
            "isr": isr / self.parameter("capability.isr_needed"),
            "f16": self.see("isf.f16_available") / self.parameter("isf.f16_capable"),
            "air_defense": sum(bought) / len(bought),
            "border": self.see("isf.border_hold") / self.parameter("capability.border_needed"),
            "readiness": readiness,
        }
        return math.fsum(
            self.parameter(f"capability.weights.{part}") * max(0.0, 1.0 - share)
            for part, share in have.items()
        )

    def _environment(self) -> float:
        """ISIS in Syria, strikes in the north, and the open conflicts around Iraq."""
        attacks = self.recent("isis_attack", "Syria", days=QUARTER_DAYS)
        strikes = self.recent("turkish_strike", days=QUARTER_DAYS)
        conflicts = (
            self.posture("turkiye_sdf.posture") in {"offensive", "incursion"},
            self.posture("sdf_damascus.posture") in {"fighting", "collapse"},
            self.posture("israel_iran.posture") in {"exchange", "war"},
            self.posture("pkk.posture") == "campaign",
            self.posture("militia.posture") != "truce",
            self.recent("detention_break", days=HALF_YEAR_DAYS) > 0,
        )
        north = twofold(strikes / self.parameter("committee.strikes_reference"))
        others = self.parameter("committee.environment_weight") * (north + sum(conflicts))
        return twofold(attacks / self.parameter("committee.environment_reference")) + others

    # decisions

    def _meet(self, share: float) -> None:
        for government, chance in self._chances().items():
            if government not in self._given:
                each = -math.expm1(share * math.log1p(-min(chance, 1.0 - 1e-12)))
                if self.agrees(ASSENTS[government], each, value=share):
                    self._given.add(government)
        if len(self._given) == len(SIGNS):
            self._extend()

    def _extend(self) -> None:
        length = float(self.chooses("extension_months", self._lengths()))
        self.move_milestone(IRAQ, self.date_of(IRAQ) + months(length))
        if self.class_of(IRAQ) is None:
            self.settle(IRAQ, "formally_extended")
        self.records("extends", value=length)
        self._agree_on_partnership()
        self._open_term()

    def _lengths(self) -> dict[str, float]:
        six = self.parameter("committee.extension_6")
        two_years = (1.0 - six) * self.parameter("committee.extension_24")
        return {"12": 1.0 - six - two_years, "24": two_years, "6": six}

    def _conclude(self) -> None:
        if self.class_of(IRAQ) is None:
            self._settle()
            if self.class_of(IRAQ) == "slipped":
                slip = max(1.0, months(self.parameter("committee.slip_months")))
                self.move_milestone(IRAQ, self.date_of(IRAQ) + slip)
                self._agree_on_partnership()
                self._open_term()
                return
        self._is_over = True
        self._agree_on_partnership()
        if self.see("coalition.partnership") == 0.0:
            # Without a partnership, a demand for the exit may end Iraq's membership too.
            chance = self.parameter("committee.leaves_coalition") * self.see("iraq.exit_demand")
            if self.agrees("leaves_coalition", chance):
                self.change("coalition.membership", to=0.0)

    def _settle(self) -> None:
        if self.is_forced(IRAQ) or self.see("coalition.leaving") > 0.0:
            is_later = self.date_of(IRAQ) > self.agreed_date_of(IRAQ)
            self.settle(IRAQ, "formally_extended" if is_later else "met")
        else:
            self.settle(IRAQ, self.chooses("deadline", other_ends(self)))

    def _agree_on_partnership(self) -> None:
        """Sign a partnership or not, at the first extension, slip or end of the deadline.

        Troops that stay under another name stay under one. Baghdad signs none that parliament has
        just spoken against.
        """
        if self._has_asked:
            return
        self._has_asked = True
        number = self.parameter("coalition.residual")
        chance = self.parameter("committee.partnership") * (1.0 - self.see("iraq.exit_demand"))
        if self.class_of(IRAQ) == "relabelled" or self.see("coalition.partnership") > 0.0:
            chance = 1.0
        if self.agrees("partnership", chance, value=number):
            self.change("coalition.partnership", to=1.0)
            self.change("committee.residual", to=number)

"""The Coalition: executes the timeline by base and role, and answers shocks at its bases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.cover import covers, trains
from simlib.theatre.agents.units import QUARTER_DAYS, YEAR_DAYS, left_after_a_month, months

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simlib.world.world import World

FEDERAL = ("Ain al-Asad", "Victoria")
HARIR = "Harir"
SITES = ("Hasakah sites", "Tanf")
GROUPS: tuple[tuple[str, ...], ...] = (FEDERAL, (HARIR,), SITES)
IRAQ, SYRIA, HARIR_EXIT = "iraq_mission_end", "syria_mission_end", "harir_exit"
ROLES = ("combat", "technicians", "trainers")
COMBAT = 0
CONTINGENTS = ("australia", "france", "nato", "other", "uk")
KINDS = (*ROLES, *CONTINGENTS)
WATCHERS, TEACHERS = ("france", "uk"), ("australia", "nato", "other")
"""Contingents that fly and watch, and those that train."""
PHASES = {
    "combat": "coalition.combat_phase",
    "technicians": "coalition.technician_phase",
    "trainers": "coalition.trainer_phase",
}
EXITS = {
    "combat": "combat_exit",
    "technicians": "technicians_exit",
    "trainers": "trainers_exit",
}
"""Undated milestones; one that is dated overrides the base's own end in Iraq."""
OTHERS = {"nato": "nato_exit"} | dict.fromkeys(
    ("australia", "france", "other", "uk"), "contingents_exit"
)
ENDS = (IRAQ, SYRIA, HARIR_EXIT, *EXITS.values())
"""What says when each role is to have left each base."""
DATED = (HARIR_EXIT, *EXITS.values(), *dict.fromkeys(OTHERS.values()))
"""What is done on its date, where it has one."""
STRENGTHS = ("coalition.strength_iraq", "coalition.strength_syria")


def _by_kind(weights: dict[str, float]) -> NDArray[np.float64]:
    return np.array([weights.get(kind, 0.0) for kind in KINDS])


US = _by_kind(dict.fromkeys(ROLES, 1.0))


class Coalition(Agent):
    """Draws down by role and base as the milestones say, refills, and cover follows people.

    Federal bases follow the end of the mission in Iraq, Harir and the Syrian sites that of
    the mission in Syria, unless a base or role has a date of its own. The last echelon stays
    until the day itself. What the Coalition withdrew comes back where its date moves later;
    what others took away does not.
    """

    name = "coalition"
    values: ClassVar = {f"{c}_leaves": "months after the mission in Iraq ends" for c in CONTINGENTS}

    def __init__(self, world: World, rank: int) -> None:
        super().__init__(world, rank)
        self._bases = self.places("coalition.troops")
        self._at = {bases: [self._bases.index(b) for b in bases] for bases in GROUPS}
        self._groups = tuple(self._at.values())
        self._in_syria = np.array([base in SITES for base in self._bases])
        # A column a base: what went from there comes back to it when its date moves later.
        none = np.zeros(len(self._bases))
        self._owed = np.zeros((len(ROLES), len(self._bases)))
        """What it withdrew less what it brought, by role and base."""
        self._surge, self._kept = none.copy(), none.copy()
        self._dates: tuple[float, ...] = ()
        self._reached: list[list[float]] | None = None
        """The shares of full strength, by role and base, that it has come to."""
        self._hasten = 0.0
        self._paused_until, self._reinforced_at = self.now, -math.inf
        self._away: dict[str, NDArray[np.float64]] = {}
        self._has_nato, self._are_contractors_ended = True, False
        self._fled, self._considered = 0.0, -math.inf
        self._strengths = [max(1.0, self.see(variable)) for variable in STRENGTHS]
        self._combat = self.see_all("coalition.combat")
        self._people = self._started = self._count()
        self._was_allied = self._allied()
        self._cover_start = self.see_all("coalition.isr"), self.see_all("coalition.air_support")

    def live(self) -> Life:
        """Review each month; answer attacks, breaks, the war and the end of the mission."""
        self._leave_after = self._draw_contingents()
        self.start(self._live_syria())
        while True:
            yield self.wait(
                months=1,
                notice=("detention_break", "militia_attack"),
                milestone=IRAQ,
                posture="israel_iran.posture",
            )
            if self.woken == "notice":
                self._answer_shock()
            elif self.woken == "posture":
                self._mind_contractors()
            elif self.woken == "milestone":
                self._end_iraq()
            else:
                self._review()
            self._count_and_cover()

    def _live_syria(self) -> Life:
        while not self.is_complete(SYRIA):
            yield self.wait(milestone=SYRIA)
            self._end_syria()
            self._count_and_cover()

    # drawing down and filling up again

    def _draw_contingents(self) -> dict[str, float]:
        spread = self.parameter("coalition.contingent_spread")
        ends = {"low": -spread, "mode": 0.0, "high": spread}
        return {c: months(self.draws(f"{c}_leaves", "triangular", **ends)) for c in CONTINGENTS}

    def _review(self) -> None:
        fade = left_after_a_month(self.parameter("coalition.pressure_halving"))
        pressure = self.see("coalition.force_pressure")
        self.change("coalition.force_pressure", to=pressure * fade)
        self._follow_plan(self._surge * self.parameter("coalition.surge_kept"))
        due = self.date_of(SYRIA)
        ahead = months(self.parameter("coalition.syria_review"))
        if self._considered != due and due - self.now <= ahead and not self.is_complete(SYRIA):
            self._considered = due
            if not self.is_forced(SYRIA):
                self._consider_syria()
        for contingent in CONTINGENTS:
            self._follow_mission(contingent)
        for exit_ in DATED:
            if self.date_of(exit_) <= self.now and not self.is_complete(exit_):
                self.complete(exit_)

    def _follow_plan(self, surge: NDArray[np.float64]) -> None:
        """Withdraw to what the timeline leaves, or come back to it at a monthly rate."""
        ends, is_own = self._ends()
        planned = self._planned(ends, is_own)
        before, self._surge = self._surge, np.where(ends[COMBAT] <= self.now, 0.0, surge)
        iraq, syria = (self.see(v) / s for v, s in zip(STRENGTHS, self._strengths, strict=True))
        wanted_share = np.where(self._in_syria, syria, iraq) * planned
        # Lists so short compare faster than arrays.
        is_quiet = not any(before.tolist()) and not any(self._surge.tolist())
        if is_quiet and wanted_share.tolist() == self._reached:
            return
        present = self._roles()
        own = present.copy()
        own[COMBAT] = np.maximum(0.0, own[COMBAT] - before)
        # At full strength, by what it withdrew itself: changes by others stay.
        full = own + self._owed
        wanted = full * wanted_share
        is_paused = self.now < self._paused_until
        least = np.where(ends <= self.now, 0.0, own * is_paused)
        most = own + self.parameter("coalition.refill") * np.maximum(0.0, full)
        goal = np.minimum(np.maximum(wanted, least), np.maximum(most, least))
        self._owed = full - goal
        self._reached = wanted_share.tolist() if np.array_equal(goal, wanted) else None
        goal[COMBAT] += self._surge
        for role, to, now in zip(ROLES, goal, present, strict=True):
            if np.abs(to - now).max() > 1e-9:
                self.change_all(f"coalition.{role}", to)

    def _roles(self) -> NDArray[np.float64]:
        """US troops by role and base."""
        # As in `ROLES`.
        return self.see_all(("coalition.combat", "coalition.technicians", "coalition.trainers"))

    def _ends(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """When each role is to have left each base, and whether by a date of the role's own."""
        dates = tuple(map(self.date_of, ENDS))
        if dates != self._dates:
            self._dates, self._left_by = dates, self._ends_on(*dates)
        return self._left_by

    def _ends_on(
        self, iraq: float, syria: float, harir: float, *roles: float
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        base = np.where(self._in_syria, syria, iraq)
        base[self._at[HARIR,]] = harir if math.isfinite(harir) else syria
        own = np.array(roles)[:, np.newaxis]
        is_own = np.isfinite(own) & ~self._in_syria
        return np.where(is_own, own, base), is_own

    def _phases(self) -> NDArray[np.float64]:
        """How long each role takes to leave, in days, shape (roles, 1)."""
        return np.array([[months(self.parameter(PHASES[role]))] for role in ROLES])

    def _planned(self, ends: NDArray[np.float64], is_own: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The share of the full strength that the timeline leaves, by role and base."""
        last = self.parameter("coalition.last_echelon")
        ahead = (ends - self._hasten - self.now) / self.once(Coalition._phases)
        share = last + (1.0 - last) * np.minimum(1.0, np.maximum(0.0, ahead))
        return np.where(ends <= self.now, np.where(is_own, 0.0, self._kept), share)

    def _follow_mission(self, contingent: str) -> None:
        """Leave around the end of the mission or on a date of its own; else be there."""
        own = self.date_of(OTHERS[contingent])
        due = own if math.isfinite(own) else self.date_of(IRAQ) + self._leave_after[contingent]
        has_reason = contingent == "nato" and self._has_nato
        stays = not math.isfinite(own) and (has_reason or self.class_of(IRAQ) == "relabelled")
        variable = f"coalition.{contingent}"
        if self.now >= due and not stays:
            if contingent not in self._away:
                self._away[contingent] = self.see_all(variable)
                self.records(f"{contingent}_left")
                self.change_all(variable, np.zeros(len(self._bases)))
        elif contingent in self._away:
            self.records(f"{contingent}_returned")
            self.change_all(variable, self.see_all(variable) + self._away.pop(contingent))

    # the ends of the missions

    def _keep(self, bases: tuple[str, ...], number: float) -> None:
        """Keep at most so many US troops at some bases from now on, in proportion."""
        at = self._at[bases]
        full = float((self._roles() + self._owed)[:, at].sum())
        self._kept[at] = min(1.0, number / full) if full > 0.0 else 0.0
        self._follow_plan(self._surge)

    def _end_iraq(self) -> None:
        if self.class_of(IRAQ) == "relabelled":
            self._keep(FEDERAL, self.see("committee.residual"))
            left, before = self.see_all("coalition.combat"), self._combat
            at = self._at[FEDERAL]
            self.change("coalition.mission_iraq", to=float(left[at].sum() / before[at].sum()))
            return
        self._keep(FEDERAL, 0.0)
        self.change("coalition.mission_iraq", to=0.0)
        self._has_nato = self.agrees("nato_stays", self.parameter("coalition.nato_stays"))
        self._are_contractors_ended = not self.agrees("contractors_stay", self._contract())
        if self._are_contractors_ended:
            self.change("coalition.contractors", "Balad", to=0.0)
        self.complete(IRAQ)

    def _contract(self) -> float:
        """The probability that contractors stay; without a partnership they lack its cover."""
        is_signed = self.see("coalition.partnership") > 0.0
        unbound = 1.0 if is_signed else self.parameter("coalition.contractors_unbound")
        return unbound * self.parameter("coalition.contractors_stay")

    def _consider_syria(self) -> None:
        attacks = self.recent("isis_attack", "Syria", days=QUARTER_DAYS)
        breaks = self.recent("detention_break", days=YEAR_DAYS)
        usual = self.parameter("committee.environment_reference")
        if self.decides(
            "keeps_syria",
            attacks=float(np.log((attacks + 1.0) / (usual + 1.0))),
            breaks=float(breaks > 0),
            wish_to_leave=self.see("committee.us_wish_to_leave"),
        ):
            delay = months(self.parameter("coalition.syria_delay"))
            self.move_milestone(SYRIA, self.date_of(SYRIA) + delay)
            self.settle(SYRIA, "slipped")

    def _end_syria(self) -> None:
        if not math.isfinite(self.date_of(HARIR_EXIT)):
            self._keep((HARIR,), self.see("committee.residual"))
        self._keep(SITES, 0.0)
        self.change("coalition.mission_syria", to=0.0)
        if self.class_of(SYRIA) is None:
            is_later = self.date_of(SYRIA) > self.agreed_date_of(SYRIA)
            self.settle(SYRIA, "formally_extended" if is_later else "met")
        self.complete(SYRIA)

    # shocks

    def _answer_shock(self) -> None:
        if self.incident["type"] == "detention_break":
            self._reinforces("Hasakah sites", is_break=True)
            return
        base, deaths = str(self.incident["place"]), float(self.incident["fatalities"])
        self._strike_back(deaths)
        if self._leaves() or self._reinforces(base, is_break=False):
            return
        if base in FEDERAL and self.decides("shifts_to_harir", deaths=deaths):
            self._shift(base)
        else:
            self._hasten += months(1)

    def _strike_back(self, deaths: float) -> None:
        """Strike those who attacked: depots burn, and Baghdad protests."""
        is_war = self.posture("israel_iran.posture") == "war"
        if self.decides("strikes_militias", deaths=deaths, war=float(is_war)):
            self.change("militia.struck", by=1.0)
            kept = 1.0 - self.parameter("militia.stocks_lost")
            self.change("militia.stocks", to=kept * self.see("militia.stocks"))
            slight = self.parameter("coalition.strike_slight")
            self.change("iraq.sovereignty_pressure", by=slight)

    def _leaves(self) -> bool:
        """Whether Washington pulls out of Iraq for good, ahead of the date."""
        end = self.now + months(self.parameter("coalition.leave_months"))
        if self.is_forced(IRAQ) or end >= self.date_of(IRAQ) or self.see("coalition.leaving"):
            return False
        if not self.decides(
            "leaves_under_fire",
            pressure=math.log1p(self.see("coalition.force_pressure")),
            wish_to_leave=self.see("committee.us_wish_to_leave"),
        ):
            return False
        self.change("coalition.leaving", to=1.0)
        self.move_milestone(IRAQ, end)
        return True

    def _reinforces(self, base: str, *, is_break: bool) -> bool:
        """Send combat troops to a base, if any are left to send and none came just now."""
        start = float(self._combat.sum())
        room = self.parameter("coalition.surge_most") * start - float(self._surge.sum())
        again = self._reinforced_at + months(self.parameter("coalition.surge_clock"))
        at = self._bases.index(base)
        if room <= 0.0 or self.now < again or self._ends()[0][COMBAT, at] <= self.now:
            return False
        if not self.decides(
            "reinforces_bases",
            breaks=float(is_break),
            deadly=float(not is_break),
            war=float(self.posture("israel_iran.posture") == "war"),
        ):
            return False
        size = min(room, self.parameter("coalition.surge_size") * start)
        self._surge[at] += size
        self._reinforced_at, self._paused_until = self.now, self.now + months(1)
        self.change("coalition.combat", base, by=size)
        return True

    def _shift(self, base: str) -> None:
        """Move combat troops from a federal base to Harir."""
        at = self._bases.index(base)
        present = float(self.see_all("coalition.combat")[at] - self._surge[at])
        moved = self.parameter("coalition.shifted") * max(0.0, present)
        self.change("coalition.combat", base, by=-moved)
        self.change("coalition.combat", HARIR, by=moved)

    def _mind_contractors(self) -> None:
        """Contractors flee a war and come back after it: those who fled and nobody else."""
        if self.posture("israel_iran.posture") == "war":
            if self.agrees("contractors_flee", self.parameter("coalition.contractors_flee")):
                self._fled += self.see("coalition.contractors", "Balad")
                self.change("coalition.contractors", "Balad", to=0.0)
        elif self._fled > 0.0 and not self._are_contractors_ended:
            self.change("coalition.contractors", "Balad", by=self._fled)
            self._fled = 0.0

    # what follows from people

    def _count(self) -> NDArray[np.float64]:
        """People by kind and base."""
        # As in `KINDS`.
        return self.see_all(
            (
                *("coalition.combat", "coalition.technicians", "coalition.trainers"),
                *("coalition.australia", "coalition.france", "coalition.nato"),
                *("coalition.other", "coalition.uk"),
            )
        )

    def _count_and_cover(self) -> None:
        people, allied = self._count(), self._allied()
        if allied == self._was_allied and people.tolist() == self._people.tolist():
            return
        self._people, self._was_allied = people, allied
        self.change_all("coalition.troops", people.sum(axis=0))
        self.change("coalition.presence", to=self._shares(US)[0])
        self._train()
        federal, harir, sites = self._shares(self.once(Coalition._watching))
        supplied = sites * (1.0 - self.parameter("coalition.harir_supply") * (1.0 - harir))
        north = self.parameter("coalition.harir_share")
        shares = federal, (1.0 - north) * federal + north * harir, supplied
        isr, air = self._cover_start
        places = self.places("coalition.isr")
        self.change_all("coalition.isr", isr * covers(places, shares, self._from_outside()))
        outside = self.parameter("coalition.remainder_air")
        self.change_all("coalition.air_support", air * covers(places, shares, outside))

    def _allied(self) -> tuple[float, float]:
        return self.see("coalition.membership"), self.see("coalition.partnership")

    def _from_outside(self) -> float:
        """Surveillance from outside the country: members get all of it, and partners more."""
        member, partner = self._allied()
        lost = self.parameter("coalition.members_share") * (1.0 - member)
        remainder = self.parameter("coalition.remainder_isr") * (1.0 - lost)
        return remainder + partner * self.parameter("partnership.isr") * (1.0 - remainder)

    def _train(self) -> None:
        """Those who train on bases; a partnership makes up for a part of those who left."""
        visits = self.parameter("partnership.training") * self.see("coalition.partnership")
        shares = self._shares(self.once(Coalition._teaching))
        federal, harir, _ = (x + visits * (1.0 - x) for x in shares)
        places = self.places("coalition.training")
        self.change_all("coalition.training", trains(places, federal, harir))

    def _watching(self) -> NDArray[np.float64]:
        """What a person of each kind counts among those who watch and fly."""
        watch = self.parameter("coalition.contingent_cover")
        return _by_kind(dict.fromkeys(ROLES, 1.0) | dict.fromkeys(WATCHERS, watch))

    def _teaching(self) -> NDArray[np.float64]:
        """What a person of each kind counts among those who train."""
        teach = self.parameter("coalition.contingent_training")
        return _by_kind({"trainers": 1.0, **dict.fromkeys(TEACHERS, teach)})

    def _shares(self, by_kind: NDArray[np.float64]) -> list[float]:
        """People by the weight of their kind, over the start, at each group of bases."""
        now, start = (by_kind @ self._people).tolist(), (by_kind @ self._started).tolist()
        sums = [(sum([now[i] for i in at]), sum([start[i] for i in at])) for at in self._groups]
        return [min(1.0, here / before) if before > 0.0 else 0.0 for here, before in sums]

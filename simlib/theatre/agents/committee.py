"""The joint committee: whether the deadline in Iraq is kept."""

from __future__ import annotations

import math

from simlib.agents.base import Agent, Life
from simlib.theatre.agents.units import HALF_YEAR_DAYS, QUARTER_DAYS, left_after_a_month, months

IRAQ = "iraq_mission_end"
CLASSES = ("formally_extended", "met", "relabelled", "slipped")
GROUNDS = ("threat", "capability_gap", "environment", "sovereignty", "us_wish_to_leave")
MEETINGS = ("first", "second", "third")
"""The scheduled meetings: in March, June and September of the year of the deadline."""
FEDERAL = ("Anbar", "Baghdad", "Diyala", "Kirkuk", "Nineveh", "Salah al-Din")


class JointCommittee(Agent):
    """Meets before the deadline, at alarms too, and ends it in exactly one class.

    An extension needs both governments. Each scheduled meeting carries a share w of the
    decision, h = 1 - (1 - P)^w, so meeting more often does not raise P; an alarm takes
    a part of the next meeting's share forward.
    """

    name = "committee"

    def live(self) -> Life:
        """Meet until an extension is agreed or the deadline comes, then conclude."""
        self.start(self._weigh_each_month())
        yield from self._meet()
        # On the eve, so that who acts on the day itself knows the outcome.
        while self.now < self.date_of(IRAQ) - 1.0:
            yield self.wait(until=self.date_of(IRAQ) - 1.0, milestone=IRAQ)
        self._conclude()

    def _meet(self) -> Life:
        shares = [self.parameter(f"committee.share_{meeting}") for meeting in MEETINGS]
        leads = [self.parameter(f"committee.lead_{meeting}") for meeting in MEETINGS]
        meetings = sorted(self.agreed_date_of(IRAQ) - lead for lead in leads)
        while meetings and not self.is_forced(IRAQ):
            yield self.wait(
                until=meetings[0],
                notice=("detention_break", "militia_attack"),
                posture="israel_iran.posture",
                milestone=IRAQ,
            )
            if self.is_forced(IRAQ) or self.woken == "milestone":
                return
            if self.woken == "date":
                meetings.pop(0)
                share = shares.pop(0)
            elif self.woken == "notice" or self.posture("israel_iran.posture") == "war":
                share = self.parameter("committee.alarm_share") * shares[0]
                shares[0] -= share
            else:
                continue
            if self._extends(share):
                return

    # grounds

    def _weigh_each_month(self) -> Life:
        while True:
            yield self.wait(months=1)
            fade = left_after_a_month(self.parameter("committee.sovereignty_halving"))
            pressure = self.see("iraq.sovereignty_pressure")
            self.change("iraq.sovereignty_pressure", to=pressure * fade)
            most = self.parameter("committee.ground_limit")
            for ground, raw in self._grounds().items():
                mean = self.parameter(f"committee.{ground}_mean")
                z = (raw - mean) / self.parameter(f"committee.{ground}_sd")
                self.change(f"committee.{ground}", to=max(-most, min(most, z)))
            self.change("committee.extension", to=self._chances()["formally_extended"])

    def _grounds(self) -> dict[str, float]:
        """The five grounds before they are standardized."""
        quarter = self.recent("isis_attack", "Iraq", days=QUARTER_DAYS)
        reference = self.parameter("committee.threat_reference")
        readiness = sum(self.see("isf.readiness", p) for p in FEDERAL) / len(FEDERAL)
        force = math.log1p(self.see("coalition.force_pressure"))
        return {
            "threat": math.log((quarter + 1.0) / (reference + 1.0)),
            "capability_gap": 1.0 - readiness + self.parameter("committee.capability_doubt"),
            "environment": self._environment(),
            "sovereignty": math.log1p(self.see("iraq.sovereignty_pressure")),
            "us_wish_to_leave": self.parameter("committee.us_administration")
            + self.parameter("committee.force_weight") * force,
        }

    def _environment(self) -> float:
        attacks = self.recent("isis_attack", "Syria", days=QUARTER_DAYS)
        reference = self.parameter("committee.environment_reference")
        conflicts = (
            self.posture("turkiye_sdf.posture") in {"offensive", "incursion"},
            self.posture("sdf_damascus.posture") in {"fighting", "collapse"},
            self.posture("israel_iran.posture") in {"exchange", "war"},
            self.recent("detention_break", days=HALF_YEAR_DAYS) > 0,
        )
        weight = self.parameter("committee.environment_weight")
        return math.log((attacks + 1.0) / (reference + 1.0)) + weight * sum(conflicts)

    def _chances(self) -> dict[str, float]:
        """The probability of each class under what is seen now."""
        pi = {name: max(1e-12, self.parameter(f"committee.pi.{name}")) for name in CLASSES}
        eta = {name: math.log(pi[name] / pi["met"]) for name in CLASSES}
        for name in ("formally_extended", "relabelled", "slipped"):
            eta[name] += self.parameter(f"committee.offset_{name}")
        eta["relabelled"] += self.parameter("committee.delta_relabelled")
        eta["formally_extended"] += self.parameter("committee.delta_extended") + sum(
            self.parameter(f"committee.beta_{ground}") * self.see(f"committee.{ground}")
            for ground in GROUNDS
        )
        weights = {name: math.exp(value) for name, value in eta.items()}
        total = math.fsum(weights.values())
        return {name: weight / total for name, weight in weights.items()}

    # decisions

    def _extends(self, share: float) -> bool:
        chance = min(self._chances()["formally_extended"], 1.0 - 1e-12)
        each = math.sqrt(-math.expm1(share * math.log1p(-chance)))
        # Both are always asked, so that each has its luck on every occasion.
        assents = [self.agrees(f"{who}_assents", each, value=share) for who in ("iraq", "us")]
        if not all(assents):
            return False
        length = float(self.chooses("extension_months", self._lengths()))
        self.move_milestone(IRAQ, self.date_of(IRAQ) + months(length))
        self.settle(IRAQ, "formally_extended")
        self._agree_on_residual()
        return True

    def _lengths(self) -> dict[str, float]:
        six = self.parameter("committee.extension_6")
        two_years = (1.0 - six) * self.parameter("committee.extension_24")
        return {"12": 1.0 - six - two_years, "24": two_years, "6": six}

    def _conclude(self) -> None:
        if self.is_forced(IRAQ):
            is_later = self.date_of(IRAQ) > self.agreed_date_of(IRAQ)
            self.settle(IRAQ, "formally_extended" if is_later else "met")
            self._agree_on_residual()
        elif self.class_of(IRAQ) is None:
            self._end_without_extension()

    def _end_without_extension(self) -> None:
        chances = self._chances()
        rest = 1.0 - chances.pop("formally_extended")
        taken = self.chooses("deadline", {name: p / rest for name, p in chances.items()})
        self.settle(IRAQ, taken)
        if taken == "slipped":
            slip = max(1.0, months(self.parameter("committee.slip_months")))
            self.move_milestone(IRAQ, self.date_of(IRAQ) + slip)
        self._agree_on_residual()

    def _agree_on_residual(self) -> None:
        number = self.parameter("coalition.residual")
        # Troops that stay under another name stay under a partnership.
        is_relabelled = self.class_of(IRAQ) == "relabelled"
        chance = 1.0 if is_relabelled else self.parameter("committee.partnership")
        agreed = self.agrees("partnership", chance, value=number)
        self.change("committee.residual", to=number if agreed else 0.0)

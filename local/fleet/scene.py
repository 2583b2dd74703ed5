"""The simulated fleet in one second: how busy it is, who is on which mission."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from local.fleet.incidents import Trouble

TEAMS = ("atlas", "beacon", "cobalt", "delta", "ember", "fjord", "grove")
TENANTS = ("acme", "globex", "initech")
AGENT_TYPES = ("planner", "researcher", "coder", "reviewer", "operator")
SHORTEST_ROUND_S = 300


@dataclass(frozen=True, slots=True)
class Mission:
    """What a team works on, from its begin until it ends. number: unique in the team."""

    team: str
    number: int
    size: int
    lasts_s: int
    error: str

    @property
    def id(self) -> str:
        """Return the name under which events speak of it."""
        return f"{self.team}-{self.number}"


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the events of one second depend on.

    load: how busy the hour is, around 1. working: missions under way. ended: those that end now.
    """

    at: datetime
    rng: Random
    load: float
    troubles: Mapping[Trouble, timedelta]
    working: tuple[Mission, ...]
    ended: tuple[Mission, ...]

    def some(self, mean: float) -> range:
        """Return a range as long as the mean, one more or less so that the mean holds."""
        whole = int(mean * self.load)
        return range(whole + (self.rng.random() < mean * self.load - whole))

    def around(self, median: float, spread: float, most: float) -> float:
        """Return an amount about the median, as durations and sizes are spread."""
        return min(self.rng.lognormvariate(math.log(median), spread), most)

    def seconds(self, median: float, most: float) -> float:
        """Return a duration about the median, to the millisecond."""
        return round(self.around(median, 0.5, most), 3)

    def is_time_for(self, every_s: int) -> bool:
        """Return whether a gauge that is read so often is read now."""
        return int(self.at.timestamp()) % every_s == 0

    def who(self) -> dict[str, object]:
        """Return who causes an event: an agent of a team at work, where one is."""
        agent_type = self.rng.choice(AGENT_TYPES)
        if not self.working:
            return {"agent_type": agent_type}
        mission = self.rng.choice(self.working)
        return {
            "team_id": mission.team,
            "agent_id": f"{mission.team}-{agent_type}-{self.rng.randint(1, 2)}",
            "agent_type": agent_type,
            "mission_id": mission.id,
            "tenant": TENANTS[TEAMS.index(mission.team) % len(TENANTS)],
        }


def look(seed: int, at: datetime, troubles: Mapping[Trouble, timedelta]) -> Scene:
    """Return the scene of the second that begins at that moment; the same for the same seed."""
    second = int(at.timestamp())
    turns = [_turn(seed, index, second) for index in range(len(TEAMS))]
    return Scene(
        at=at,
        rng=_random(seed, second),
        load=_load(seed, at),
        troubles=troubles,
        working=tuple(mission for mission, passed_s in turns if passed_s < mission.lasts_s),
        ended=tuple(mission for mission, passed_s in turns if passed_s == mission.lasts_s),
    )


def _random(*of: object) -> Random:
    return Random("/".join(map(str, of)))  # noqa: S311 - a simulation keeps no secret


def _load(seed: int, at: datetime) -> float:
    """Return how busy the moment is: a quiet night, a busy afternoon, no minute like another."""
    hour = at.hour + at.minute / 60
    noise = _random(seed, "minute", int(at.timestamp()) // 60).uniform(0.95, 1.05)
    return noise * (1 + 0.35 * math.sin((hour - 9) / 24 * 2 * math.pi))


def _turn(seed: int, team: int, second: int) -> tuple[Mission, int]:
    """Return the team's latest mission, and how long ago it began; it rests until the next."""
    round_s = SHORTEST_ROUND_S + 17 * team
    number, passed_s = divmod(second + 61 * team, round_s)
    rng = _random(seed, TEAMS[team], number)
    mission = Mission(
        team=TEAMS[team],
        number=number,
        size=rng.randint(3, 8),
        lasts_s=int(round_s * rng.uniform(0.5, 0.95)),
        error="The plan could not be carried out" if rng.random() < 0.1 else "",
    )
    return mission, passed_s

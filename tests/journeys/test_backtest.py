"""`ops backtest` finds in the log what rules did, and what others would have done."""

import io
import json
import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from ops.console.weekly import weekly
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop
from tests.journeys.scenario import CONFIG

pytestmark = pytest.mark.xdist_group("backtest")  # one scene for all

NAMES = ("HighErrorRate", "LowDatabaseConnections")
SECOND = timedelta(seconds=1)
QUARTER = timedelta(seconds=15)
MINUTES = 16
ENDS = START + timedelta(minutes=MINUTES)


def happens(minute: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is sent every 15 seconds of the minute: errors, then a full pool."""
    yield "error", {"count": 300 + minute if minute in (3, 4, 5) else 1}
    yield "db.pool", {"value": 10 - minute if minute in (9, 10) else 8}


def live(box: Laptop) -> None:
    """Let the events happen, five seconds before each run of the timer."""
    for number in range(1, 4 * MINUTES + 1):
        at = START + number * QUARTER
        second = at - 5 * SECOND
        box.clock.advance(seconds=(second - box.clock.now()).total_seconds())
        box.post(
            [
                {**event(kind, **data), "id": f"{kind}-{number}", "time": second.isoformat()}
                for kind, data in happens((number + 3) // 4)
            ]
        )
        box.tick(at)


class Desktop:
    """An operator at a stack in which something has happened."""

    def __init__(self, box: Laptop, rules: Path) -> None:
        self.box = box
        self.rules = rules
        home = box.stack.places.home
        (home / "local.json").write_text(json.dumps(box.stack.describe()))
        self.environment = {"AGENTMETER_HOME": str(home)}

    def backtest(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        desk = Desk(Terminal(out, err), self.environment, self.box.clock)
        given = ("--from", START.isoformat(), "--to", ENDS.isoformat(), "--rules", str(self.rules))
        return main(["backtest", *given, *words], desk), out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    folder = tmp_path_factory.mktemp("backtest")
    rules = folder / "rules"
    rules.mkdir()
    for name in NAMES:
        shutil.copy(CONFIG / "rules" / f"{name}.toml", rules)
    with laptop(folder / "home", FakeClock(START)) as box:
        live(box)
        yield Desktop(box, rules)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_past_is_reported_as_it_was(desktop: Desktop) -> None:
    code, out, err = desktop.backtest("--json")
    assert (code, "runs: 65 of 65" in err) == (0, True)
    answer: dict[str, Any] = json.loads(out)
    (tried,) = answer["tried"]
    happened = {one.dedup_key.split("/")[2]: one for one in desktop.box.incidents()}
    assert happened.keys() == set(NAMES)
    assert [one["rule"].split("/")[0] for one in tried["episodes"]] == list(happened)
    for episode in tried["episodes"]:
        incident = happened[episode["rule"].split("/")[0]]
        assert at(episode["told_at"]) == incident.opened_at
        assert bool(episode["ended_at"]) == bool(incident.resolved_at)
        if incident.resolved_at:
            assert incident.resolved_at - at(episode["ended_at"]) in (0 * QUARTER, 4 * QUARTER)
    assert answer["events"] == MINUTES * 4 * 2


def test_an_episode_has_its_peak_and_how_soon_it_was_sent(desktop: Desktop) -> None:
    _, out, _ = desktop.backtest("--json", "--rule", "HighErrorRate")
    (tried,) = json.loads(out)["tried"]
    (episode,) = tried["episodes"]
    assert episode["look"] == "fast"
    assert episode["peak"] == pytest.approx((4 * 303 + 304) / 61)  # five lots in 61 s
    assert episode["detection_s"] == 0.0
    assert tried["pages"] == {"HighErrorRate/critical": 1}
    assert tried["pages_a_week"] == {"HighErrorRate/critical": None}  # by a quarter of an hour


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(timedelta(days=14), 1.5, id="two-weeks"),
        pytest.param(timedelta(days=1), 21, id="a-day"),
        pytest.param(timedelta(hours=23), None, id="less-than-a-day"),
    ],
)
def test_a_week_is_reported_of_what_is_known(known: timedelta, expected: float | None) -> None:
    assert weekly(3, known) == expected


def test_the_log_may_begin_within_the_period(desktop: Desktop) -> None:
    since = START - timedelta(minutes=20)
    words = ("--json", "--rule", "LowDatabaseConnections", "--from", since.isoformat())
    _, out, _ = desktop.backtest(*words)
    assert 900 < json.loads(out)["known_s"] <= 960


def test_two_folders_are_compared_on_the_same_events(desktop: Desktop, tmp_path: Path) -> None:
    text = (desktop.rules / "HighErrorRate.toml").read_text(encoding="utf-8")
    calm = text[: text.index("top = ")].replace('"> 10"', '"> 1000"')
    (tmp_path / "HighErrorRate.toml").write_text(calm, encoding="utf-8")

    code, out, _ = desktop.backtest("--against", str(tmp_path), "--rule", "HighErrorRate")

    assert code == 0
    assert re.search(r"\nHighErrorRate/critical +2026-11-23 12:33:15Z  2026-11-23 12:33:15Z", out)
    assert f"{tmp_path}, 2026-11-23T12:30:00Z to 2026-11-23T12:46:00Z:\nNo alert would" in out
    assert out.splitlines()[-1].split() == ["HighErrorRate/critical", "1", "0"]


def test_rows_found_later_delay_what_asks_the_log(desktop: Desktop, tmp_path: Path) -> None:
    text = (desktop.rules / "HighErrorRate.toml").read_text(encoding="utf-8")
    slow = text[: text.index("top = ")].replace('hold = "PT5M"', 'hold = "PT1M"')
    (tmp_path / "HighErrorRate.toml").write_text(slow, encoding="utf-8")
    words = ("--json", "--rule", "HighErrorRate", "--against", str(tmp_path))
    paged = [
        [at(one["episodes"][0]["told_at"]) for one in json.loads(answer)["tried"]]
        for answer in (desktop.backtest(*words, *delay)[1] for delay in ((), ("--delay", "60s")))
    ]
    (fast, main), (fast_of_late, main_of_late) = paged
    assert fast == fast_of_late
    assert timedelta(0) < main_of_late - main <= timedelta(minutes=2)


def test_a_rule_that_is_not_there_is_named(desktop: Desktop) -> None:
    code, _, err = desktop.backtest("--rule", "HighErrors")
    assert code == 2
    assert "has no rule HighErrors" in err

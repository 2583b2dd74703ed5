"""What a purge removes from the stand-in, and what it leaves."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.events.columns import OWNER_ROW
from standin.monitor.purge import Purge
from standin.monitor.refusal import BadQuery
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.monitor import event, metric

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "00f067aa0ba902b7"
WHO = 'UsageEvents | where Name == "llm.call" | sort by EventId asc | project UserId, TeamId'


def of_user(name: str, operator: str = "==") -> Purge:
    wanted = {"column": "Properties", "key": "user", "operator": operator, "value": name}
    return Purge.model_validate({"table": "AppEvents", "filters": [wanted]})


def call(number: int, **text: str) -> dict[str, Any]:
    return event({"id": f"call-{number}", "source": "s", **text}, {"input_tokens": 1})


def owner(known: int, **text: str) -> dict[str, Any]:
    text_fields = {"source": "s", "trace": TRACE, "spans": SPAN, **text}
    return event(text_fields, {"known": known}, name=OWNER_ROW)


def holding(*items: dict[str, Any]) -> MonitorStore:
    store = MonitorStore(None, FakeClock())
    assert store.track(items).status == 200
    return store


def test_a_user_is_gone_and_others_stay() -> None:
    store = holding(call(1, user="ada"), call(2, user="bob"), call(3, user="Ada"), metric(7))
    assert store.purge(of_user("ada")) == 1
    assert store.query(WHO).rows == (("bob", ""), ("Ada", ""))
    assert store.purge(of_user("ada", "=~")) == 1
    assert store.query("AppEvents | count").rows == ((1,),)
    assert store.query("AppMetrics | count").rows == ((1,),)


def test_several_filters_all_hold() -> None:
    store = holding(call(1, user="ada", team="red"), call(2, user="ada", team="blue"))
    teams = {"column": "Properties", "key": "team", "operator": "in", "value": ["red", "green"]}
    both = Purge.model_validate(
        {"table": "AppEvents", "filters": [teams, of_user("ada").filters[0].model_dump()]}
    )
    assert store.purge(both) == 1
    assert store.query(WHO).rows == (("ada", "blue"),)


def test_a_late_owner_is_taken_back() -> None:
    of_span = event({"id": f"{TRACE}:{SPAN}", "source": "s", "team": "own"}, {"input_tokens": 1})
    store = holding(of_span, owner(1, team="blue", user="bob"), owner(2, team="red", user="ada"))
    assert store.query(WHO).rows == (("ada", "red"),)
    store.purge(of_user("ada"))
    assert store.query(WHO).rows == (("bob", "blue"),)
    store.purge(of_user("bob"))
    assert store.query(WHO).rows == (("", "own"),)


@pytest.mark.parametrize("table", ["UsageEvents", "Nothing", "AlertHistory"])
def test_what_is_no_table_is_refused(table: str) -> None:
    with pytest.raises(ValidationError):
        Purge(table=table, filters=of_user("ada").filters)


def test_a_column_that_is_not_there_is_refused_and_nothing_goes() -> None:
    store = holding(call(1, user="ada"))
    wrong = {"column": "Prop", "key": "user", "operator": "==", "value": "ada"}
    with pytest.raises(BadQuery, match="AppEvents has not all of: Prop"):
        store.purge(Purge.model_validate({"table": "AppEvents", "filters": [wrong]}))
    assert store.query("AppEvents | count").rows == ((1,),)


@pytest.mark.parametrize("text", ["ad'a", 'ad"a', "'; DROP TABLE raw.AppEvents; --", "ü🦊"])
def test_any_text_is_a_value(text: str) -> None:
    store = holding(call(1, user=text), call(2, user="bob"))
    assert store.purge(of_user(text)) == 1
    assert store.query(WHO).rows == (("bob", ""),)


def test_older_rows_go_and_newer_stay() -> None:
    old = START - timedelta(hours=30)
    store = holding(call(1), event({"id": "old", "source": "s"}, at=old), metric(1, at=old))
    assert store.purge_before(START - timedelta(hours=1)) == 3
    assert store.query("UsageEvents | project EventId").rows == (("call-1",),)
    assert store.purge_before(START - timedelta(hours=1)) == 0

from pathlib import Path

import requests

from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, laptop


def test_the_page_asks_what_users_ask_and_is_no_one_elses(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START)) as box:
        box.post([event()])
        page = box.stack.page_url
        shown = box.http.get(f"{page}/", timeout=TIMEOUT_S)
        assert "<title>agentmeter</title>" in shown.text
        assert box.stack.places.key() not in shown.text
        costs = box.http.get(f"{page}/api/costs?by=model", timeout=TIMEOUT_S).json()
        assert costs["rows"][0]["model"] == "gpt-4"
        query = {"query": "UsageEvents | summarize sum(Count)", "timespan": None}
        answer = box.http.post(f"{page}/query", json=query, timeout=TIMEOUT_S)
        assert answer.json()["tables"][0]["rows"] == [[1]]
        assert box.http.get(f"{page}/incidents", timeout=TIMEOUT_S).json() == []
        other = {"host": "evil.example"}
        assert requests.get(f"{page}/", headers=other, timeout=TIMEOUT_S).status_code == 400

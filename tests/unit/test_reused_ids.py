"""An id that comes again with other content is named in the answer; a plain repeat is not."""

from typing import Any

from pydantic_core import to_json

from shared.events.body import Limits
from shared.usecases.intake import reused_ids
from shared.usecases.intake.ingest import Ingest
from tests.factories import event
from tests.fakes import START

HEADERS = {"content-type": "application/json"}


def warned(ingest: Ingest, *given: object) -> list[tuple[int, str]]:
    received = ingest.accept(to_json(given), HEADERS, START)
    assert all(one.warning == reused_ids.REUSED for one in received.warned)
    return [(one.index, one.id) for one in received.warned]


def call(number: int, **data: Any) -> dict[str, Any]:
    return event(number=number, **data)


def test_other_content_under_one_id_is_named() -> None:
    ingest = Ingest(Limits())
    first, other = call(1), call(1, model="gpt-4.1")
    assert warned(ingest, first, call(2), first) == []
    assert warned(ingest, call(3), other) == [(1, "llm.call-1")]
    assert warned(ingest, other) == []


def test_both_may_come_in_one_request() -> None:
    assert warned(Ingest(Limits()), call(1), call(1, model="gpt-4.1")) == [(1, "llm.call-1")]


def test_what_is_refused_is_not_remembered() -> None:
    ingest = Ingest(Limits())
    assert warned(ingest, {"id": 1}, "no event", call(1)) == []
    assert warned(ingest, {**call(1), "colour": "red"}, call(1)) == []


def test_another_source_has_ids_of_its_own() -> None:
    assert warned(Ingest(Limits()), call(1), {**call(1, model="x"), "source": "another"}) == []


def test_the_oldest_are_forgotten(monkeypatch: Any) -> None:
    monkeypatch.setattr(reused_ids, "MOST_REMEMBERED", 2)
    ingest = Ingest(Limits())
    assert warned(ingest, *(call(number) for number in (1, 2, 3))) == []
    assert warned(ingest, call(1, model="x"), call(3, model="x")) == [(1, "llm.call-3")]

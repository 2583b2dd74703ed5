from dataclasses import replace
from datetime import timedelta

import pytest

from shared.rows import ExportRefused, SpanRow
from tests.breeze import AT, accept, exporter, said, track
from tests.loopback import loopback

TEXT = {"gen_ai.system": "openai", "gen_ai.usage.input_tokens": "1200"}
ROW = SpanRow(
    *("chat gpt-4o", AT, timedelta(seconds=1.5), TEXT, "a" * 32, "b" * 16, "c" * 16),
    role="checkout",
    client=True,
)


def test_a_span_is_a_dependency_of_its_provider_with_its_own_ids() -> None:
    with loopback(accept) as server:
        assert said(exporter(server).spans([ROW])) == ["exported"]
    (item,) = server.received[0].json()
    assert item["time"] == "2026-03-04T05:06:07.890123Z"
    assert item["tags"]["ai.cloud.role"] == "checkout"
    assert item["tags"]["ai.operation.id"] == "a" * 32
    assert item["tags"]["ai.operation.parentId"] == "c" * 16
    assert item["data"]["baseType"] == "RemoteDependencyData"
    assert item["data"]["baseData"] == {
        **{"ver": 2, "name": "chat gpt-4o", "id": "b" * 16, "resultCode": "0", "success": True},
        **{"duration": "0.00:00:01.500", "type": "GenAI | openai", "target": "openai"},
        **{"properties": TEXT, "measurements": {}},
    }


def test_each_span_has_its_own_outcome() -> None:
    rows = [replace(ROW, span_id=f"{n:016x}") for n in range(4)]
    answer = track(206, 4, [(1, 429, "busy"), (3, 400, "too old")])
    with loopback(lambda request: answer) as server:
        found = said(exporter(server).spans(rows))
    assert found == ["exported", "later", "exported", "refused 400"]
    assert len(server.received[0].json()) == len(rows)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        pytest.param(replace(ROW, trace_id="A" * 32), "ids", id="ids"),
        pytest.param(replace(ROW, text={"db.system": "x"}), "attributes", id="another-kind"),
        pytest.param(replace(ROW, text={"_MS.sampleRate": "1"}), "attributes", id="sampling"),
        pytest.param(replace(ROW, text={"gen_ai.x": "x" * 9000}), "8,192", id="long"),
        pytest.param(
            replace(ROW, text={f"gen_ai.{n}": "x" * 8000 for n in range(9)}), "65,536", id="big"
        ),
    ],
)
def test_what_the_sdk_would_bend_is_refused_unsent(row: SpanRow, says: str) -> None:
    with loopback(accept) as server:
        wrong, right = exporter(server).spans([row, ROW])
    assert isinstance(wrong, ExportRefused)
    assert (wrong.status, said([right])) == (0, ["exported"])
    assert says in wrong.why
    assert len(server.received[0].json()) == 1

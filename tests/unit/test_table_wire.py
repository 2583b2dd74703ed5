"""What Azure Tables answers is read exactly, or is no answer."""

import pytest

from shared.storage.rows import Insert, Row
from shared.storage.table_wire import Answered, batch_answer, batch_of, error_code, row_of, rows_of

FAULT = b'{"odata.error":{"code":"%s","message":{"value":"1:It failed.\\nHTTP/1.1 204"}}}'


def answer(*statuses: int, code: bytes = b"EntityAlreadyExists") -> bytes:
    """Return the body of a batch's answer with a part of each status."""
    parts = [
        b"--changesetresponse_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 %d Said\r\n"
        b"DataServiceVersion: 3.0;\r\n\r\n%s\r\n" % (status, b"" if status < 300 else FAULT % code)
        for status in statuses
    ]
    return b"--batchresponse_1\r\n\r\n" + b"".join(parts) + b"--changesetresponse_1--\r\n"


@pytest.mark.parametrize(
    ("status", "body", "became"),
    [
        pytest.param(202, answer(204, 204), Answered(202), id="made"),
        pytest.param(202, answer(409), Answered(409, "EntityAlreadyExists"), id="one-failed"),
        pytest.param(
            202,
            answer(412, code=b"ConditionNotMet"),
            Answered(412, "ConditionNotMet"),
            id="changed",
        ),
        pytest.param(202, answer(204), None, id="cut-off"),
        pytest.param(202, answer(204, 204, 204), None, id="too-many"),
        pytest.param(202, b"<html>a proxy's page</html>", None, id="no-batch"),
        pytest.param(202, b"", None, id="nothing"),
        pytest.param(200, b"", Answered(200), id="another-status"),
        pytest.param(503, b"<Error><Code>ServerBusy</Code>", Answered(503, "ServerBusy"), id="xml"),
    ],
)
def test_a_transaction_is_made_where_every_change_is(
    status: int, body: bytes, became: Answered | None
) -> None:
    assert batch_answer(status, body, 2) == became


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (FAULT % b"TableNotFound", "TableNotFound"),
        (
            b"<?xml version='1.0'?><error><code>AuthenticationFailed</code></error>",
            "AuthenticationFailed",
        ),
        (b"Bad Gateway", ""),
    ],
)
def test_a_fault_is_known_by_its_code(body: bytes, code: str) -> None:
    assert error_code(body) == code


def test_a_field_that_is_not_there_is_left_out() -> None:
    row = row_of(
        b'{"odata.etag":"W/1","PartitionKey":"p","RowKey":"k","gone":null,"n":7,'
        b'"Timestamp":"2026-11-30T00:00:00Z","large@odata.type":"Edm.Int64","large":"4294967296",'
        b'"data@odata.type":"Edm.Binary","data":"eA=="}'
    )
    assert row == Row("p", "k", {"n": 7, "large": 2**32, "data": b"x"}, "W/1")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"", b'{"value":[{"RowKey":"k"}]}', b'{"value":7}'])
def test_what_is_no_page_of_rows_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        rows_of(body)


def test_no_text_can_end_a_part_of_a_batch() -> None:
    evil = "\r\n--changeset_agentmeter--\r\n\r\nHTTP/1.1 204"
    body = batch_of("http://a", "things", "p", [Insert("k", {"text": evil})])
    assert body.count(b"\r\n--changeset_agentmeter") == 2

"""What Azure Tables adds to the contracts: limits, refusals, and what they say."""

import random
import socket
import traceback
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from shared.adapters.azure.identity import Identity
from shared.adapters.storage_tables import Conflict, Rows, connect
from shared.adapters.tables_claims import TableClaims
from shared.adapters.tables_row import Row, create, delete, merge, packed, replace, unpacked
from shared.errors import AgentmeterError, GiveUp, Misconfigured, RetryLater
from tests.contract.azurite import Azurite

NOON = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)
SECRET = b64encode(b"a secret that nobody may see").decode()
NOISE = random.Random(1)  # for text that does not compress


def noise(length: int) -> str:
    return NOISE.randbytes(length // 2).hex()


def account_at(port: int) -> str:
    return f"AccountName=a;AccountKey={SECRET};TableEndpoint=http://127.0.0.1:{port}/a"


@pytest.fixture
def rows(azurite: Azurite) -> Iterator[Rows]:
    with closing(connect(azurite.account())) as service:
        yield Rows(service, "claims")


def assert_says_no_secret(exc: AgentmeterError) -> None:
    assert SECRET not in "".join(traceback.format_exception(exc))


@pytest.mark.parametrize(
    "account", ["", "nonsense", f"AccountName=;AccountKey={SECRET}", f"AccountKey={SECRET};x"]
)
def test_an_account_that_is_none_names_the_settings(account: str) -> None:
    with pytest.raises(Misconfigured, match="Set AzureWebJobsStorage") as caught:
        connect(account)
    assert_says_no_secret(caught.value)


def test_an_https_address_is_reached_by_the_managed_identity() -> None:
    with closing(connect("https://a.table.core.windows.net", Identity("client-id"))) as service:
        assert "ManagedIdentityCredential" in repr(vars(service)["credential"])
        assert service.url == "https://a.table.core.windows.net"


@pytest.mark.parametrize(
    "credential", [f"AccountName=a;AccountKey={SECRET}", f"SharedAccessSignature=sv=1&sig={SECRET}"]
)
def test_a_table_that_does_not_answer_is_tried_later(credential: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    with closing(connect(f"TableEndpoint=http://127.0.0.1:{port}/a;{credential}")) as service:
        claims = TableClaims(service)
        with pytest.raises(RetryLater, match="Table claims did not answer") as caught:
            claims.claim({"e:1": "m-1"}, NOON, seen_before=False)
        assert_says_no_secret(caught.value)


@pytest.mark.azurite
def test_a_refusal_names_the_role_that_is_missing(azurite: Azurite) -> None:
    port = int(azurite.urls["Table"].rpartition(":")[2])
    wrong_key = account_at(port).replace("/a", "/account000").replace("=a;", "=account000;")
    with closing(connect(wrong_key)) as service:
        for call in (
            lambda: Rows(service, "claims").get("p", "k"),
            lambda: list(Rows(service, "claims").query("PartitionKey eq 'p'")),
            lambda: Rows(service, "claims").commit([create("p", "k", {})]),
        ):
            with pytest.raises(Misconfigured, match="Storage Table Data Contributor") as caught:
                call()
            assert_says_no_secret(caught.value)


@pytest.mark.azurite
def test_a_table_that_is_missing_is_empty_until_it_is_written_to(rows: Rows) -> None:
    assert rows.get("p", "k") is None
    assert list(rows.query("PartitionKey eq 'p'")) == []
    rows.commit([create("p", "k", {"holder": "m-1"})])
    assert [row.fields["holder"] for row in rows.query("PartitionKey eq 'p'")] == ["m-1"]


@pytest.mark.azurite
def test_a_conflict_writes_nothing_of_its_transaction(rows: Rows) -> None:
    rows.commit([create("p", "k", {})])
    old = rows.get("p", "k")
    assert old
    rows.commit([replace("p", "k", {"holder": "m-1"}, old.etag)])
    for clash in (
        create("p", "k", {}),
        replace("p", "k", {}, old.etag),
        replace("p", "gone", {}),
        merge("p", "gone", {"done": True}),
        delete("p", "gone"),
    ):
        with pytest.raises(Conflict):
            rows.commit([create("p", "new", {}), clash])
    assert rows.get("p", "new") is None


@pytest.mark.azurite
def test_rows_that_are_gone_do_not_keep_the_others_from_being_deleted(rows: Rows) -> None:
    rows.commit([create("p", f"{n:03}", {}) for n in range(0, 30, 3)])
    assert rows.commit_present([delete("p", f"{n:03}") for n in range(30)]) == 10
    assert list(rows.query("PartitionKey eq 'p'")) == []


@pytest.mark.azurite
def test_the_largest_text_that_fits_comes_back_and_a_larger_one_gives_up(rows: Rows) -> None:
    text = noise(1_240_000)
    fields = packed(text, "noise. Say less.")
    assert len(fields) == 11
    rows.commit([create("p", "k", fields)])
    row = rows.get("p", "k")
    assert row
    assert unpacked(row) == text
    with pytest.raises(GiveUp, match=r"noise\. Say less\.$"):
        packed(noise(1_500_000), "noise. Say less.")


def test_a_transaction_over_the_limits_of_azure_gives_up_before_it_is_sent() -> None:
    with closing(connect(account_at(1))) as service:
        rows = Rows(service, "claims")
        with pytest.raises(GiveUp, match="101 rows"):
            rows.commit([create("p", f"{n}", {}) for n in range(101)])
        large = packed(noise(1_240_000), "noise")
        with pytest.raises(GiveUp, match="5 rows of"):
            rows.commit([create("p", f"{n}", large) for n in range(5)])


def test_a_text_is_put_together_in_order_of_its_parts() -> None:
    fields = packed(noise(1_000_000), "noise")
    backwards = dict(reversed(fields.items()))
    assert unpacked(Row("p", "k", backwards, "")) == unpacked(Row("p", "k", fields, ""))

"""What Azure Tables adds to the contract of rows: refusals, and what they say."""

import socket
import traceback
from base64 import b64encode
from contextlib import closing

import pytest
from azure.data.tables import TableServiceClient

from shared.adapters.azure.identity import Identity
from shared.errors import AgentmeterError, Misconfigured, RetryLater
from shared.storage.rows import Insert
from shared.storage.tables_sdk import connect
from tests.contract.azurite import Azurite

SECRET = b64encode(b"a secret that nobody may see").decode()


def account_at(port: int) -> str:
    return f"AccountName=a;AccountKey={SECRET};TableEndpoint=http://127.0.0.1:{port}/a"


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
    credential = Identity("client-id").credential
    with closing(connect("https://a.table.core.windows.net", credential)) as database:
        service = vars(database)["_service"]
        assert isinstance(service, TableServiceClient)
        assert "ManagedIdentityCredential" in repr(vars(service)["credential"])
        assert service.url == "https://a.table.core.windows.net"


@pytest.mark.parametrize(
    "credential", [f"AccountName=a;AccountKey={SECRET}", f"SharedAccessSignature=sv=1&sig={SECRET}"]
)
def test_a_table_that_does_not_answer_is_tried_later(credential: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    with closing(connect(f"TableEndpoint=http://127.0.0.1:{port}/a;{credential}")) as database:
        rows = database.table("claims")
        with pytest.raises(RetryLater, match="Table claims did not answer") as caught:
            rows.commit("p", [Insert("k", {})])
        assert_says_no_secret(caught.value)


@pytest.mark.azurite
def test_a_refusal_names_the_role_that_is_missing(azurite: Azurite) -> None:
    port = int(azurite.urls["Table"].rpartition(":")[2])
    wrong_key = account_at(port).replace("/a", "/account000").replace("=a;", "=account000;")
    with closing(connect(wrong_key)) as database:
        rows = database.table("claims")
        for call in (
            lambda: rows.get("p", "k"),
            lambda: list(rows.query("p")),
            lambda: rows.commit("p", [Insert("k", {})]),
        ):
            with pytest.raises(Misconfigured, match="Storage Table Data Contributor") as caught:
                call()
            assert_says_no_secret(caught.value)

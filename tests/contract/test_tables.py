"""What Azure Tables adds to the contract of rows: refusals, and what they say."""

import socket
import traceback
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest
from azure.data.tables import TableServiceClient

from shared.adapters.azure.identity import Identity
from shared.errors import AgentmeterError, Misconfigured, RetryLater
from shared.storage import tables, tables_sdk
from shared.storage.rows import Database, Insert
from shared.storage.table_account import account_of
from tests.contract.azurite import Azurite

CONNECT = pytest.mark.parametrize(
    "connect", [tables.connect, tables_sdk.connect], ids=["own", "sdk"]
)
Connect = Callable[[str], Database]

SECRET = b64encode(b"a secret that none may see").decode()


class Tokens:
    """Gives the same token to who asks for storage."""

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        assert scopes == ("https://storage.azure.com/.default",)
        return AccessToken("secret", 2**33)


def account_at(port: int) -> str:
    return f"AccountName=a;AccountKey={SECRET};TableEndpoint=http://127.0.0.1:{port}/a"


def assert_says_no_secret(exc: AgentmeterError) -> None:
    assert SECRET not in "".join(traceback.format_exception(exc))


@pytest.mark.parametrize(
    "account", ["", "nonsense", f"AccountName=;AccountKey={SECRET}", f"AccountKey={SECRET};x"]
)
@CONNECT
def test_an_account_that_is_none_names_the_settings(account: str, connect: Connect) -> None:
    with pytest.raises(Misconfigured, match="Set AzureWebJobsStorage") as caught:
        connect(account)
    assert_says_no_secret(caught.value)


def test_an_https_address_is_reached_by_the_managed_identity() -> None:
    credential = Identity("client-id").credential
    with closing(tables_sdk.connect("https://a.table.core.windows.net", credential)) as database:
        service = vars(database)["_service"]
        assert isinstance(service, TableServiceClient)
        assert "ManagedIdentityCredential" in repr(vars(service)["credential"])
        assert service.url == "https://a.table.core.windows.net"


@pytest.mark.parametrize(
    "credential", [f"AccountName=a;AccountKey={SECRET}", f"SharedAccessSignature=sv=1&sig={SECRET}"]
)
@CONNECT
def test_a_table_that_does_not_answer_is_tried_later(credential: str, connect: Connect) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    with closing(connect(f"TableEndpoint=http://127.0.0.1:{port}/a;{credential}")) as database:
        rows = database.table("claims")
        with pytest.raises(RetryLater, match="Table claims did not answer") as caught:
            rows.commit("p", [Insert("k", {})])
        assert_says_no_secret(caught.value)


def test_both_ways_reach_the_same_account() -> None:
    for given, url in (
        (f"AccountName=a;AccountKey={SECRET}", "https://a.table.core.windows.net"),
        (
            f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET};"
            "EndpointSuffix=core.chinacloudapi.cn",
            "https://a.table.core.chinacloudapi.cn",
        ),
        (
            f"TableEndpoint=http://127.0.0.1:1/a/;AccountName=a;AccountKey={SECRET}",
            "http://127.0.0.1:1/a",
        ),
    ):
        with closing(tables_sdk.connect(given)) as database:
            assert vars(database)["_service"].url.rstrip("/") == url
        assert account_of(given, None).url == url


def test_tokens_are_asked_for_storage_and_sent_to_it_alone() -> None:
    account = account_of("https://a.table.core.windows.net/", Tokens)
    assert account.url == "https://a.table.core.windows.net"
    asked = PipelineRequest(HttpRequest("GET", account.url), PipelineContext(None))
    account.policy.on_request(asked)
    assert asked.http_request.headers["Authorization"] == "Bearer secret"
    with pytest.raises(ServiceRequestError, match="TLS"):
        account.policy.on_request(
            PipelineRequest(HttpRequest("GET", "http://a.table"), PipelineContext(None))
        )


@pytest.mark.azurite
@CONNECT
def test_a_refusal_names_the_role_that_is_missing(azurite: Azurite, connect: Connect) -> None:
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

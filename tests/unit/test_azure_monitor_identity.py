"""Managed identity over TLS: an endpoint that hands out tokens, and services that ask for them."""

import base64
import json
import logging
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ops.console.identity import OPERATOR
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.adapters.azure.identity import Identity
from shared.adapters.azure.log_analytics import NEWER_ENDPOINT, LogAnalytics
from shared.clock import SystemClock
from shared.errors import Misconfigured, RetryLater
from shared.rows import ExportLater
from tests.breeze import AT, BOTH, connection, event, said
from tests.loopback import Behaviour, Loopback, Reply, Request, loopback

TOKEN = "the-token"  # noqa: S105  # known to this file alone
TABLE = b'{"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]}'


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "loopback.pem"
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(pem, form, serialization.NoEncryption())
    file.write_bytes(secret + made.public_bytes(pem))
    return file


def token(expires_on: int) -> Reply:
    said = {"access_token": TOKEN, "expires_on": str(expires_on), "token_type": "Bearer"}
    return Reply(200, json.dumps(said).encode(), {"Content-Type": "application/json"})


class Cloud:
    """A place with an identity: over TLS a service, beside it the endpoint for its tokens."""

    def __init__(self, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._set = monkeypatch.setenv
        self._set("REQUESTS_CA_BUNDLE", str(certificate))
        self.token: Behaviour = token(expires_on=4_102_444_800)
        self.asked: list[Request] = []

    @contextmanager
    def serve(self, *replies: Behaviour) -> Generator[tuple[str, Loopback]]:
        """Yield the service's address and the service, which gives these replies in turn."""
        turn = iter(replies)
        with (
            loopback(lambda request: self.token) as identity,
            loopback(lambda request: next(turn), self._tls) as service,
        ):
            self.asked = identity.received
            self._set("IDENTITY_ENDPOINT", f"{identity.url}/msi/token")
            self._set("IDENTITY_HEADER", "secret-header")
            yield f"https://127.0.0.1:{service.port}", service


@pytest.fixture
def cloud(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(certificate, monkeypatch)


TAKEN = Reply(200, b'{"itemsReceived": 1, "itemsAccepted": 1, "errors": []}')
"""What a service says to one event."""


@pytest.mark.parametrize(
    ("authentication", "client_id", "asks_for"),
    [
        ("Authorization=AAD", "", None),
        ("Authorization=AAD", "id-of-setting", "id-of-setting"),
        ("ClientId=id-of-string;Authorization=AAD", "id-of-setting", "id-of-string"),
    ],
)
@BOTH
def test_events_carry_a_token_of_the_identity_that_the_settings_name(
    cloud: Cloud, authentication: str, client_id: str, asks_for: str | None, by_sdk: bool
) -> None:
    with cloud.serve(TAKEN) as (url, service):
        monitor = AzureMonitorExporter(
            connection(url), authentication, Identity(client_id), all_by_sdk=by_sdk
        )
        assert said(monitor.events([event()])) == ["exported"]
    assert service.received[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert "resource=https://monitor.azure.com/" in cloud.asked[0].path
    assert (f"client_id={asks_for}" in cloud.asked[0].path) is (asks_for is not None)


@BOTH
def test_without_authentication_the_key_alone_is_sent(cloud: Cloud, by_sdk: bool) -> None:
    with cloud.serve(TAKEN) as (url, service):
        assert said(AzureMonitorExporter(connection(url), all_by_sdk=by_sdk).events([event()])) == [
            "exported"
        ]
    assert "authorization" not in service.received[0].headers
    assert cloud.asked == []


@BOTH
def test_a_request_that_goes_out_again_with_a_fresh_token_is_packed_once(
    cloud: Cloud, by_sdk: bool
) -> None:
    claims = base64.b64encode(b'{"access_token": {"nbf": {"essential": true}}}').decode()
    challenge = f'Bearer error="insufficient_claims", claims="{claims}"'
    with cloud.serve(Reply(401, b"", {"WWW-Authenticate": challenge}), TAKEN) as (url, service):
        monitor = AzureMonitorExporter(connection(url), "Authorization=AAD", all_by_sdk=by_sdk)
        assert said(monitor.events([event()])) == ["exported"]
    first, second = service.received
    assert first.body == second.body
    assert len(second.json()) == 1


@BOTH
def test_an_identity_without_a_token_is_said_to_be_the_cause(
    cloud: Cloud, caplog: pytest.LogCaptureFixture, by_sdk: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.token = Reply(400, b'{"error": "invalid_request"}')
    with cloud.serve() as (url, service):
        monitor = AzureMonitorExporter(connection(url), "Authorization=AAD", all_by_sdk=by_sdk)
        (outcome,) = monitor.events([event()])
        with pytest.raises(Misconfigured, match="got no token"):
            LogAnalytics(url, "workspace").query("print 1", AT, AT)
    assert isinstance(outcome, ExportLater)
    assert "got no token" in outcome.why
    assert service.received == []
    assert "secret-header" not in caplog.text


@BOTH
def test_an_identity_that_loses_its_token_does_not_inherit_the_answer_before(
    cloud: Cloud, by_sdk: bool
) -> None:
    cloud.token = token(expires_on=1)
    with cloud.serve(TAKEN) as (url, _):
        monitor = AzureMonitorExporter(connection(url), "Authorization=AAD", all_by_sdk=by_sdk)
        assert said(monitor.events([event()])) == ["exported"]
        cloud.token = Reply(400, b'{"error": "invalid_request"}')
        assert said(monitor.events([event()])) == ["later"]


def test_queries_carry_a_token_for_the_endpoint_that_they_go_to(cloud: Cloud) -> None:
    with cloud.serve(Reply(200, TABLE, {"Content-Type": "application/json"})) as (url, service):
        LogAnalytics(url, "workspace", Identity("id-of-setting")).query("print 1", AT, AT)
    assert service.received[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert "client_id=id-of-setting" in cloud.asked[0].path
    assert f"resource={url}" in cloud.asked[0].path


def test_an_operator_asks_with_whatever_account_is_signed_in(cloud: Cloud) -> None:
    with cloud.serve(Reply(200, TABLE, {"Content-Type": "application/json"})) as (url, service):
        LogAnalytics(url, "workspace", OPERATOR).query("print 1", AT, AT)
    assert service.received[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_an_operator_who_is_not_signed_in_is_reported_how_and_nothing_else(
    cloud: Cloud, capfd: pytest.CaptureFixture[str]
) -> None:
    cloud.token = Reply(400, b'{"error": "invalid_request"}')
    with cloud.serve() as (url, _):
        monitor = AzureMonitorExporter(connection(url), "Authorization=AAD", OPERATOR)
        (outcome,) = monitor.events([event()])
        with pytest.raises(Misconfigured, match=r"Your account got no token.*az login"):
            LogAnalytics(url, "workspace", OPERATOR).query("print 1", AT, AT)
    assert isinstance(outcome, ExportLater)
    assert "az login" in outcome.why
    assert capfd.readouterr().err == ""


def test_the_newer_query_endpoint_takes_tokens_for_the_classic_one(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # no word leaves this machine
    with cloud.serve(), pytest.raises(RetryLater, match="could not be reached"):
        LogAnalytics(NEWER_ENDPOINT, "workspace").query("print 1", AT, AT)
    assert cloud.asked[0].path.endswith("resource=https://api.loganalytics.io")


@BOTH
def test_no_token_reaches_a_log(
    cloud: Cloud, caplog: pytest.LogCaptureFixture, by_sdk: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    with cloud.serve(TAKEN) as (url, _):
        AzureMonitorExporter(connection(url), "Authorization=AAD", all_by_sdk=by_sdk).events(
            [event()]
        )
    assert TOKEN not in caplog.text
    assert "secret-header" not in caplog.text

"""How the receivers of routes.toml are reached, and who holds the incidents that they open."""

from dataclasses import replace

import pytest

from shared.alerting.grouping import Routes, parse_routes
from shared.alerting.page import Accepted, Delivery, Dropped, Later, Page
from shared.errors import Misconfigured
from shared.notify import check, odd_forms
from shared.notify.receivers import Receivers
from shared.notify.webhook import SIGNATURE
from shared.settings import read
from tests.loopback import Reply, Request, loopback
from tests.paged import PAGE, REQUIRED, RESOLVE, SECRET

ROUTES = """
[receivers.all]
severities = ["critical", "error", "warning", "info"]
notifier = "slack"
key = "RECEIVER_FIRST"

[receivers.second]
notifier = "slack"
key = "RECEIVER_SECOND"

[receivers.hook]
notifier = "webhook"
url = "RECEIVER_HOOK"
key = "RECEIVER_HOOK_SECRET"

[receivers.unset]
notifier = "teams"
key = "RECEIVER_NOT_SET"
"""


def read_as(text: str) -> Routes:
    return parse_routes(text, "routes.toml")


def test_any_number_of_receivers_needs_no_code() -> None:
    with loopback(lambda _: Reply(200)) as server:
        names = ("FIRST", "SECOND", "HOOK", "HOOK_SECRET")
        secrets = {f"RECEIVER_{name}": f"{server.url}/{name}" for name in names}
        receivers = Receivers(lambda: read_as(ROUTES), read({**REQUIRED, **secrets}))
        pages = {name: replace(PAGE, route=name) for name in ("all", "second", "hook", "unset")}
        answers = [receivers.notifier(page).send(page) for page in pages.values()]
    assert answers[:3] == [Accepted(200)] * 3
    waiting = answers[3]
    assert [call.path for call in server.received] == ["/FIRST", "/SECOND", "/HOOK"]
    assert SIGNATURE.lower() in server.received[2].headers
    assert isinstance(waiting, Later)
    assert "Set RECEIVER_NOT_SET." in waiting.why


@pytest.mark.parametrize("setting", ["LOG_LEVEL", "NO_SUCH_SETTING"])
def test_a_receiver_names_no_setting_that_is_no_secret(setting: str) -> None:
    routes = read_as(ROUTES.replace("RECEIVER_FIRST", setting))
    with pytest.raises(Misconfigured, match=f"all.key: there is no secret setting {setting}"):
        check(routes)


def test_the_settings_never_show_a_receivers_secret() -> None:
    assert SECRET not in repr(read({**REQUIRED, "RECEIVER_X": SECRET}))


OLD, NEW = "a" * 32, "b" * 32
KEYS = {"K": "RECEIVER_PAGER", "K_OLD": "RECEIVER_PAGER_OLD"}
PAGER = """
[receivers.all]
severities = ["critical", "error", "warning", "info"]
notifier = "pagerduty"
key = "RECEIVER_PAGER"
"""
HOOK = PAGER.replace("pagerduty", "webhook").replace("key =", "url =") + 'key = ""\n'
CHAT = PAGER.replace("pagerduty", "slack")


def known(routes: str = PAGER, url: str = "http://127.0.0.1:1", **secrets: str) -> Receivers:
    """Return the receivers where RECEIVER_PAGER is K, and so on."""
    named = {KEYS.get(name, name): value for name, value in secrets.items()}
    settings = read({**REQUIRED, "PAGERDUTY_URL": url, **named})
    return Receivers(lambda: read_as(routes), settings)


def closed(after: Receivers, owner: str) -> Delivery:
    """Return what becomes of the resolve of an incident with that owner."""
    resolve = replace(RESOLVE, route="all", owner=owner)
    return after.notifier(resolve).send(resolve)


def keys_used(calls: list[Request]) -> list[object]:
    return [call.json()["routing_key"] for call in calls]


RENAMED = PAGER.replace("receivers.all", "receivers.pager")
OTHER_KEY = PAGER.replace("RECEIVER_PAGER", "PAGERDUTY_CRITICAL_KEY")
NOW_CHAT = CHAT.replace("RECEIVER_PAGER", "RECEIVER_CHAT")


@pytest.mark.parametrize(
    ("routes", "secrets"),
    [
        pytest.param(PAGER, {"K": NEW, "K_OLD": OLD}, id="rotated"),
        pytest.param(RENAMED, {"K": OLD}, id="receiver renamed"),
        pytest.param(OTHER_KEY, {"K": OLD, "PAGERDUTY_CRITICAL_KEY": NEW}, id="receiver moved"),
        pytest.param(OTHER_KEY, {"PAGERDUTY_CRITICAL_KEY": OLD}, id="setting renamed"),
        pytest.param(NOW_CHAT, {"K": OLD}, id="receiver of another kind"),
    ],
)
def test_the_key_that_opened_an_incident_closes_it(routes: str, secrets: dict[str, str]) -> None:
    owner = known(K=OLD).owner("all")
    with loopback(lambda _: Reply(202)) as server:
        after = known(routes, server.url, **secrets)
        assert after.reaches(owner, "all")
        assert closed(after, owner) == Accepted(202)
    assert keys_used(server.received) == [OLD]


def test_new_incidents_open_by_the_new_key() -> None:
    after = known(K=NEW, K_OLD=OLD)
    assert after.owner("all") == known(K=NEW).owner("all") != known(K=OLD).owner("all")


@pytest.mark.parametrize("secrets", [{"K": NEW}, {}, {"K": NEW, "K_OLD": "c" * 32}])
def test_an_incident_whose_key_is_gone_waits_and_says_so(secrets: dict[str, str]) -> None:
    owner, after = known(K=OLD).owner("all"), known(**secrets)
    assert not after.reaches(owner, "all")
    outcome = closed(after, owner)
    assert isinstance(outcome, Later)
    assert outcome.cause == "repair"
    assert "Set RECEIVER_PAGER_OLD to that one, or close the incident yourself" in outcome.why


@pytest.mark.parametrize(
    ("routes", "secret"), [(PAGER, OLD), (HOOK, "https://hook.test/s3cretpath")]
)
def test_an_owner_says_no_secret(routes: str, secret: str) -> None:
    owner = known(routes, K=secret).owner("all")
    assert owner
    assert not any(secret[n : n + 6] in owner for n in range(len(secret) - 5))


def test_a_webhook_closes_at_the_address_that_opened() -> None:
    with loopback(lambda _: Reply(204)) as server:
        owner = known(HOOK, K=f"{server.url}/before").owner("all")
        after = known(HOOK, K=f"{server.url}/after", K_OLD=f"{server.url}/before")
        assert closed(after, owner) == Accepted(204)
    assert [call.path for call in server.received] == ["/before"]
    assert isinstance(closed(known(HOOK, K="https://other.test"), owner), Later)


def test_an_incident_is_closed_where_it_was_opened() -> None:
    with loopback(lambda _: Reply(202)) as before, loopback(lambda _: Reply(202)) as now:
        owner = known(url=before.url, K=OLD).owner("all")
        moved = known(url=now.url, K=NEW, K_OLD=OLD)
        assert moved.reaches(owner, "all")
        assert closed(moved, owner) == Accepted(202)
        assert closed(moved, moved.owner("all")) == Accepted(202)
    assert keys_used(before.received) == [OLD]
    assert keys_used(now.received) == [NEW]


def test_a_laptops_pager_that_moved_closes_its_incidents() -> None:
    with loopback(lambda _: Reply(202)) as gone:
        owner = known(url=gone.url, K=OLD).owner("all")
    with loopback(lambda _: Reply(202)) as now:
        assert closed(known(url=now.url, K=OLD), owner) == Accepted(202)
    assert gone.received == []


@pytest.mark.parametrize("rest", ["RECEIVER_PAGER ", "RECEIVER_PAGER", "RECEIVER_PAGER http://[x"])
def test_an_owner_without_an_address_is_reached_at_todays(rest: str) -> None:
    line = known(K=OLD).owner("all").partition(" ")[0]
    with loopback(lambda _: Reply(202)) as now:
        assert closed(known(url=now.url, K=OLD), f"{line} {rest}") == Accepted(202)


def test_messages_are_bound_to_no_address() -> None:
    with loopback(lambda _: Reply(200)) as server:
        owner = known(CHAT, K="https://before.test").owner("all")
        after = known(CHAT, K=f"{server.url}/after")
        assert after.reaches(owner, "all")
        assert closed(after, owner) == Accepted(200)
    gone = CHAT.replace("receivers.all", "receivers.other")
    assert isinstance(closed(known(gone, K="https://x.test"), owner), Dropped)


@pytest.mark.parametrize("owner", ["morse:0a1b2c3d KEY URL", "pagerduty:0a1b2c3d KEY URL", "x:y z"])
def test_an_owner_of_a_later_edition_waits(owner: str) -> None:
    outcome = closed(known(K=OLD), owner)
    assert isinstance(outcome, Later)
    assert outcome.cause == "repair"


def test_without_a_key_nothing_is_known_to_own() -> None:
    assert known().owner("all") == ""
    assert known().owner("nowhere") == ""


def test_receivers_of_one_key_share_its_pace() -> None:
    both = PAGER + PAGER.replace("receivers.all", "receivers.two").replace(
        '"critical", "error", "warning", "info"', ""
    )
    receivers = known(both, K=OLD)
    destinations = {receivers.destination(replace(PAGE, route=route)) for route in ("all", "two")}
    assert len(destinations) == 1
    opened: Page = replace(PAGE, route="all", owner=receivers.owner("all"))
    assert {receivers.destination(opened)} == destinations


@pytest.mark.parametrize(
    ("routes", "secret", "said"),
    [
        (PAGER, "ab", "Events API v2"),
        (HOOK, "hooks.test/x", "begins with https://"),
        (CHAT, "https:/hooks.test", "begins with https://"),
        (CHAT.replace("slack", "teams"), "https//x", "begins with https://"),
        (PAGER, OLD, ""),
        (CHAT, "https://hooks.test/x", ""),
    ],
)
def test_the_form_of_a_receivers_secret_is_checked(routes: str, secret: str, said: str) -> None:
    settings = read({**REQUIRED, "RECEIVER_PAGER": secret})
    found = " ".join(odd_forms(read_as(routes), settings))
    assert secret not in found
    assert (said in found) if said else found == ""

"""Asks agentmeter's own API, as any user may."""

from typing import Any

import requests

from ops.console.stack import Api
from shared.errors import GiveUp, RetryLater

TIMEOUT_S = (5, 30)


def call(api: Api, method: str, path: str, body: object = None) -> Any:
    """Return what the API answers, as JSON values; its refusal is said in its own words.

    path: from its slash on. body: sent as JSON.
    Raises:
        RetryLater: it cannot be reached.
        GiveUp: it refuses.
    """
    answer = _asked(api, method, path, body)
    return answer.json() if answer.content else {}


def text(api: Api, path: str) -> str:
    """Return what the API answers to a GET, as text. Raises as call."""
    return _asked(api, "GET", path, None).text


def _asked(api: Api, method: str, path: str, body: object) -> requests.Response:
    try:
        answer = requests.request(
            method,
            f"{api.url}{path}",
            json=body,
            headers={"x-functions-key": api.key.get_secret_value()},
            timeout=TIMEOUT_S,
        )
    except requests.RequestException as exc:
        raise RetryLater(
            f"{api.url} did not answer ({type(exc).__name__}). See that it runs; ask again."
        ) from None
    if answer.ok:
        return answer
    raise GiveUp(f"The API answered {answer.status_code}: {_error(answer)}")


def _error(answer: requests.Response) -> str:
    """Return what the API says is wrong; a host that keeps the call from it says nothing."""
    try:
        return str(answer.json()["error"])
    except (requests.JSONDecodeError, LookupError, TypeError):
        return "it does not say why. Check --url and --key."

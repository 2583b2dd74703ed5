"""Finds the agentmeter that the operator means: the one of this laptop, or a deployed one."""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from shared.errors import Misconfigured

HOME = ".agentmeter"
DESCRIPTION = "local.json"


class Stack(BaseModel, frozen=True, extra="ignore"):
    """What `make run` says of itself while it runs."""

    function_key: SecretStr
    master_key: SecretStr = SecretStr("")
    app_url: str
    query_url: str
    page_url: str = ""
    pagerduty_url: str = ""


class Api(BaseModel, frozen=True):
    """Where events go. url: without a slash at its end. key: empty where none is needed."""

    url: str
    key: SecretStr


def declare_api(parser: ArgumentParser) -> None:
    """Add the options that name an API; pass what they got to find_api."""
    parser.add_argument(
        "--url", help="the API; default: AGENTMETER_URL, else the stack that `make run` started"
    )
    parser.add_argument(
        "--key", help="its function key; default: AGENTMETER_KEY, which no process list shows"
    )


def home(environment: Mapping[str, str]) -> Path:
    """Return the folder of all that is kept on this laptop; it may not exist yet."""
    return Path(environment.get("AGENTMETER_HOME") or HOME)


def find_stack(environment: Mapping[str, str]) -> Stack | None:
    """Return the laptop's stack, None where none was started.

    Raises:
        Misconfigured: what it says of itself cannot be read.
    """
    path = home(environment) / DESCRIPTION
    try:
        return Stack.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        # No cause: it would show the key.
        raise Misconfigured(
            f"{path} cannot be read. Stop the stack and start it again with `make run`."
        ) from None


def find_api(url: str | None, key: str | None, environment: Mapping[str, str]) -> Api:
    """Return the API that was named, else the laptop's.

    Raises:
        Misconfigured: none was named and none runs here; or the URL is none.
    """
    named = url or environment.get("AGENTMETER_URL")
    if named:
        secret = key or environment.get("AGENTMETER_KEY") or ""
        return Api(url=_checked(named), key=SecretStr(secret))
    stack = find_stack(environment)
    if stack is None:
        raise Misconfigured(
            f"No agentmeter runs here: there is no {home(environment) / DESCRIPTION}. Start it "
            "with `make run`, or name another with --url and --key."
        )
    return Api(url=_checked(stack.app_url), key=SecretStr(key) if key else stack.function_key)


def _checked(url: str) -> str:
    """Return the URL without a slash at its end."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Misconfigured(
            f"{url!r} is no address of an API. Write it like https://my-app.azurewebsites.net."
        )
    return url.rstrip("/")

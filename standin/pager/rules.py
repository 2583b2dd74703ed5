"""The rules by which PagerDuty refuses an event (Events API v2), in its own words."""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal, cast

MAX_BYTES = 512_000
KEY_LENGTH = 32
MAX_DEDUP_KEY = 255
MAX_SUMMARY = 1024
ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "warning", "error", "info")

Kind = Literal["event", "change"]


def problems(kind: Kind, raw: bytes) -> tuple[Mapping[str, Any], list[str]]:
    """Return the parsed body ({} if it is no JSON object) and all that is wrong with it."""
    if len(raw) > MAX_BYTES:
        return {}, [f"Event is too large ({len(raw)} bytes; the limit is 512 KB)"]
    try:
        event = json.loads(raw)
        # Half a surrogate pair is JSON, but no text that could be stored.
        json.dumps(event, ensure_ascii=False).encode()
    except ValueError:
        return {}, ["Request body is not valid JSON"]
    body = _object(event)
    if body is None:
        return {}, ["Request body is not a JSON object"]
    return body, [*_key(kind, body), *(_change(body) if kind == "change" else _event(body))]


def _key(kind: Kind, body: Mapping[str, Any]) -> list[str]:
    key = body.get("routing_key")
    if not isinstance(key, str) or not key:
        return ["'routing_key' is missing or blank"]
    found: list[str] = []
    if len(key) != KEY_LENGTH:
        found.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if not re.fullmatch("[A-Za-z0-9]+", key):
        found.append("'routing_key' cannot contain non-alphanumeric characters.")
    if kind == "change" and key.startswith("R"):
        found.append("'routing_key' is of a ruleset; change events need a service's key")
    return found


def _event(body: Mapping[str, Any]) -> list[str]:
    action, dedup_key = body.get("event_action"), body.get("dedup_key")
    found: list[str] = []
    if action not in ACTIONS:
        found.append(
            f"'event_action' is invalid (must be one of the following: {_listed(ACTIONS)})"
        )
    if dedup_key is not None and not isinstance(dedup_key, str):
        found.append("'dedup_key' is not a string")
    elif len(dedup_key or "") > MAX_DEDUP_KEY:
        found.append("Length of 'dedup_key' is incorrect (should be at most 255 characters)")
    if action in ("acknowledge", "resolve"):
        return found if dedup_key else [*found, "'dedup_key' is missing or blank"]
    return [*found, *_payload(body)]


def _change(body: Mapping[str, Any]) -> list[str]:
    payload = _object(body.get("payload"))
    return ["'payload' is missing or blank"] if payload is None else _summary(payload)


def _payload(body: Mapping[str, Any]) -> list[str]:
    payload = _object(body.get("payload"))
    if payload is None:
        return ["'payload' is missing or blank"]
    found = _summary(payload)
    if not _is_text(payload.get("source")):
        found.append("'payload.source' is missing or blank")
    if payload.get("severity") not in SEVERITIES:
        found.append(
            f"'payload.severity' is invalid (must be one of the following: {_listed(SEVERITIES)})"
        )
    if _object(payload.get("custom_details") or {}) is None:
        found.append("'payload.custom_details' is not an object")
    return found


def _summary(payload: Mapping[str, Any]) -> list[str]:
    summary = payload.get("summary")
    if not _is_text(summary):
        return ["'payload.summary' is missing or blank"]
    if len(str(summary)) > MAX_SUMMARY:
        return ["Length of 'payload.summary' is incorrect (should be at most 1024 characters)"]
    return []


def _object(value: object) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _listed(values: tuple[str, ...]) -> str:
    quoted = [f"'{value}'" for value in values]
    return ", ".join(quoted[:-1]) + " or " + quoted[-1]

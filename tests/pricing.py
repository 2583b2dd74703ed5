"""Model calls and entries of prices.toml, valid unless told otherwise."""

from datetime import date

from shared.events.types import LlmCall
from shared.units import Usage

GPT_4O = {"provider": "azure", "model": "gpt-4o"}


def call(**given: object) -> LlmCall:
    """A call of gpt-4o that used a million tokens each way, but for what is given."""
    usage = {name: given.pop(name) for name in Usage.model_fields if name in given}
    used = usage or {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
    standard = {"provider": "openai", "model": "gpt-4o", "status": "success", "usage": used}
    return LlmCall.model_validate(standard | given)


def entry(table: str, **fields: object) -> str:
    """One entry of a prices.toml, valid unless the fields say otherwise."""
    standard: dict[str, object] = {"from": date(2026, 1, 1), "source": "a note"}
    lines = [f"{name} = {toml(value)}" for name, value in (standard | fields).items()]
    return "\n".join((f"[[{table}]]", *lines, "", ""))


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def starting(day: date) -> dict[str, object]:
    return {"from": day}

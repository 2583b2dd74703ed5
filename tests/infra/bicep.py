"""Reads as much of our Bicep files as the tests of infra/ ask."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
INFRA = ROOT / "infra"
MAIN = INFRA / "main.bicep"
MODULES = sorted((INFRA / "modules").glob("*.bicep"))
FILES = [MAIN, INFRA / "azd.bicep", *MODULES]
RESOURCE = re.compile(r"^resource (\w+) '([^@']+)@[^']+' (existing )?= (.*?)^[}\]]+", re.M | re.S)
PARAM = re.compile(r"^((?:@[^\n]*\n(?:  [^\n]*\n)*(?:\]\)\n)?)*)param (\w+) (\w+)", re.M)


def source(name: str) -> str:
    """Return the text of a module."""
    return (INFRA / "modules" / f"{name}.bicep").read_text(encoding="utf-8")


def resource(text: str, kind: str) -> str:
    """Return the body of the one resource of that type that the text makes."""
    (body,) = [body for _, of, old, body in RESOURCE.findall(text) if of == kind and not old]
    return body


def words(text: str, name: str) -> list[str]:
    """Return the texts of `var name = [ … ]`."""
    block = re.search(rf"^var {name} = \[\n(.*?)^\]", text, re.M | re.S)
    assert block, name
    return re.findall(r"'([^']+)'", block[1])


def described(text: str, param: str) -> str:
    """Return the description of a parameter."""
    found = re.search(rf"@description\('((?:[^'\\]|\\.)*)'\)\n(?:@.*\n)*param {param} ", text)
    assert found, param
    return found[1]

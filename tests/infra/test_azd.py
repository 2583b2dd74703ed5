"""`azd up` offers every parameter of infra/main.bicep, with its bounds."""

import re

import pytest

from tests.infra.bicep import INFRA, MAIN

AZD = (INFRA / "azd.bicep").read_text(encoding="utf-8")
VALUES = (INFRA / "azd.bicepparam").read_text(encoding="utf-8")
TEXT = MAIN.read_text(encoding="utf-8")
DECLARED = re.compile(
    r"((?:^@[^\n]*\n(?:  [^\n]*\n)*(?:\]\)\n)?)+)param (\w+) (\w+(?: = (?:\[\n(?:  .*\n)*\]|.*))?)",
    re.M,
)
OWN = {"environmentName", "location"}


def declared(text: str) -> dict[str, tuple[str, str]]:
    """Return decorators and type with default, by parameter."""
    return {name: (decorators, rest) for decorators, name, rest in DECLARED.findall(text)}


def test_azd_offers_every_parameter_with_its_bounds() -> None:
    ours, theirs = declared(AZD), declared(TEXT)
    assert {n: d for n, d in ours.items() if n not in OWN} == {
        n: d for n, d in theirs.items() if n not in OWN
    }
    for name in theirs.keys() - {*OWN, "tags"}:
        assert f"\n    {name}: {name}\n" in AZD, name


def test_azd_reads_every_parameter_from_its_environment() -> None:
    given = re.findall(r"^param (\w+) = ", VALUES, re.M)
    assert sorted(given) == sorted(declared(AZD))


def test_an_empty_value_of_azd_is_the_default() -> None:
    for line in VALUES.splitlines():
        converted = re.match(r"param (\w+) = (int|bool|json)\((.*)\)$", line)
        if converted:
            assert converted[3].startswith("empty(readEnvironmentVariable('"), line
        elif "readEnvironmentVariable(" in line and "AZURE_ENV_NAME" not in line:
            assert ", '')" in line or "AZURE_LOCATION" in line, line


def test_azd_has_the_defaults_of_main() -> None:
    for name, (_, rest) in declared(TEXT).items():
        line = re.search(
            rf"^param {name} = (?:int|bool)\(empty\(.*?\)\) \? '([^']*)'", VALUES, re.M
        )
        if line:
            assert rest.endswith(f" = {line[1]}"), name


def test_azd_hands_on_every_output() -> None:
    outputs = re.findall(r"^output (\w+) ", TEXT, re.M)
    assert re.findall(r"^output (\w+) string = agentmeter\.outputs\.(\w+)$", AZD, re.M) == [
        (name, name) for name in outputs
    ]


def take(text: str, length: int) -> str:
    """Return the first characters, as Bicep does."""
    return text[:length]


def hashed(text: str) -> str:
    """Stand in for Bicep's uniqueString: 13 letters."""
    return "abcdefghijklm" if text else ""


def deployment_name(environment: str) -> str:
    """Evaluate the expressions of azd.bicep; Azure's hash is six letters here."""
    known: dict[str, object] = {
        "environmentName": environment,
        "replace": str.replace,
        "take": take,
        "length": len,
        "startsWith": str.startswith,
        "endsWith": str.endswith,
        "uniqueString": hashed,
    }
    for name in ("hyphened", "single", "asItIs", "deploymentName"):
        (text,) = re.findall(rf"^var {name} = (.*)$", AZD, re.M)
        text = text.replace("&&", "and").replace("!starts", "not starts")
        text = text.replace("!ends", "not ends")
        choice = re.fullmatch(r"(\w+) \? (\w+) : '(.*)'", text)
        if choice:
            parts = re.sub(r"\$\{([^{}]*)\}", r"' + \1 + '", choice[3])
            text = f"{choice[2]} if {choice[1]} else '{parts}'"
        known[name] = eval(text, known)  # noqa: S307  our own file
    return str(known["deploymentName"])


@pytest.mark.parametrize("name", ["dev", "prod-eu-1", "Staging", "a1", "sixteen-long-abc"])
def test_a_plain_name_of_azd_stays_as_it_is(name: str) -> None:
    assert deployment_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["a", "my_env", "my.env", "(dev)", "dev-", "-dev", "a--b", "x" * 64, "-" * 64, "a-(_.)-b", "_"],
)
def test_any_name_of_azd_gives_names_that_azure_takes(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]{2,16}", deployment_name(name))

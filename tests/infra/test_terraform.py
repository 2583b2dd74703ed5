"""infra/terraform deploys what infra/main.bicep says, and its file is HCL."""

import io
import re
from typing import Any

import hcl2
import pytest

from tests.infra.bicep import INFRA, MAIN, ROOT

FILE = (INFRA / "terraform" / "main.tf").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "terraform.md").read_text(encoding="utf-8")
TEXT = MAIN.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```hcl\n(.*?)^```", PAGE, re.S | re.M)


def read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = hcl2.load(io.StringIO(text))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # untyped
    return found


def plain(name: str) -> str:
    return name.strip('"')


def test_the_file_deploys_the_compiled_template() -> None:
    (resource,) = [
        body
        for kind in read(FILE)["resource"]
        for type_, bodies in kind.items()
        if plain(type_) == "azurerm_resource_group_template_deployment"
        for body in bodies.values()
    ]
    assert "main.json" in resource["template_content"]
    assert plain(resource["deployment_mode"]) == "Incremental"


def test_what_is_given_by_name_are_parameters_of_bicep() -> None:
    parameters = set(re.findall(r"^param (\w+) ", TEXT, re.M))
    given = set(re.findall(r"(\w+) = var\.(?:environment_name|secrets)\b", FILE))
    assert {"environmentName", "secrets"} == given <= parameters
    for example in EXAMPLES:
        assert set(read(example)["parameters"]) <= parameters


def test_outputs_are_those_of_bicep() -> None:
    outputs = {name.lower() for name in re.findall(r"^output (\w+) ", TEXT, re.M)}
    assert set(re.findall(r"local\.outputs\.(\w+)", FILE)) <= outputs


def test_every_variable_is_described_and_secrets_are_sensitive() -> None:
    for block in read(FILE)["variable"]:
        for name, body in block.items():
            assert body["description"], name
            assert bool(body.get("sensitive")) == (plain(name) == "secrets")


def test_every_reference_leads_to_something_declared() -> None:
    declared = {plain(name) for block in read(FILE)["variable"] for name in block}
    assert set(re.findall(r"\bvar\.(\w+)", FILE)) == declared


def test_a_file_that_is_no_hcl_is_noticed() -> None:
    with pytest.raises(Exception, match=r"Unexpected|Expected"):
        read(FILE.replace("provider", 'provider "a" = {', 1))

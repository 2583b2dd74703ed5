"""`ops sbom`: every package of the deployment is named, with its version."""

import io
import json
import re
from pathlib import Path

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from ops.sbom import installed
from shared.errors import Misconfigured
from tests.fakes import FakeClock

ROOT = Path(__file__).parents[2]


def test_every_package_that_is_deployed_is_named_with_its_version() -> None:
    out = io.StringIO()
    assert main(["sbom"], Desk(Terminal(out, io.StringIO()), {}, FakeClock())) == 0
    bom = json.loads(out.getvalue())
    versions = {part["name"].lower(): part["version"] for part in bom["components"]}
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.]+)(?!.*python_version)", text, re.MULTILINE))
    assert (
        pinned.items() <= {**versions, "typing_extensions": versions["typing_extensions"]}.items()
    )
    assert {"urllib3", "certifi", "cryptography"} <= versions.keys()
    assert "pytest" not in versions
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")


def test_a_package_that_is_missing_from_the_environment_is_named() -> None:
    with pytest.raises(Misconfigured, match="no-such-package-here is not installed"):
        installed("no-such-package-here==1.0")


def test_what_another_python_needs_is_left_out() -> None:
    assert installed("no-such-package-here==1.0 ; python_version < '3'") == {}

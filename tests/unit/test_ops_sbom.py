"""`ops sbom`: every package of the deployment is named, with its version."""

import io
import json

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.lock import LOCK, is_needed_here, locked, version_of
from ops.console.terminal import Terminal
from tests.fakes import FakeClock


def test_every_package_that_is_deployed_is_named_with_its_version() -> None:
    out = io.StringIO()
    assert main(["sbom"], Desk(Terminal(out, io.StringIO()), {}, FakeClock())) == 0
    bom = json.loads(out.getvalue())
    versions = {part["name"]: part["version"] for part in bom["components"]}
    pins = filter(is_needed_here, locked(LOCK.read_text(encoding="utf-8")))
    assert versions == {package.name: version_of(package) for package in pins}
    assert {"azure-functions", "urllib3", "certifi", "cryptography"} <= versions.keys()
    assert "pytest" not in versions
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")


def test_what_another_python_needs_is_left_out() -> None:
    (package,) = locked("some-thing==1.0 ; python_version < '3' \\\n    --hash=sha256:0\n")
    assert (version_of(package), is_needed_here(package)) == ("1.0", False)

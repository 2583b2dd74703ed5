"""No pinned version has a known fault; `make lock` has pinned all that is deployed."""

import io
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ops import advisories
from ops.__main__ import main
from ops.advisories import Affected, Known, Package, Range, affected, as_text, taken
from ops.console.command import Desk
from ops.console.lock import LOCK, is_needed_here, locked, version_of
from ops.console.terminal import Terminal
from tests.fakes import FakeClock

PINS = locked(LOCK.read_text(encoding="utf-8"))
KNOWN = Known.model_validate_json(advisories.FILE.read_text(encoding="utf-8"))
FAULT = """
id: PYSEC-1
modified: "2026-01-02T00:00:00Z"
aliases: [CVE-1]
affected:
- package: {ecosystem: PyPI, name: Some_Thing}
  ranges:
  - {type: GIT, events: [{introduced: "0"}]}
  - {type: ECOSYSTEM, events: [{introduced: "0"}, {fixed: "1.5"}, {introduced: "2.0"}]}
"""
OTHER = FAULT.replace("PYSEC-1", "PYSEC-2").replace("Some_Thing", "another")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_pinned_version_has_a_known_fault() -> None:
    assert list(affected(KNOWN, PINS)) == []
    assert len(KNOWN.advisories) > 30


def test_a_pin_that_falls_into_a_range_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text(FAULT, encoding="utf-8")
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    (tmp_path / "c.yaml").write_text(OTHER, encoding="utf-8")
    (tmp_path / "d.yaml").write_text(FAULT + 'withdrawn: "2026-01-01"', encoding="utf-8")
    lock = tmp_path / "requirements.txt"
    lock.write_text("some-thing==1.4 \\\n    --hash=sha256:0\n", encoding="utf-8")
    monkeypatch.setattr("ops.advisories.LOCK", lock)
    monkeypatch.setattr("ops.advisories.FILE", tmp_path / "known.json")
    out = io.StringIO()
    desk = Desk(Terminal(out, out), {}, FakeClock())
    assert main(["advisories", "--from", str(tmp_path)], desk) == 1
    assert re.search(r"some-thing +1\.4 +PYSEC-1 +CVE-1", out.getvalue())
    assert "1 packages, 1 advisories about them, as of 2026-01-02: 1 apply." in out.getvalue()


@pytest.mark.parametrize(
    ("events", "versions", "found"),
    [
        ([{"introduced": "0"}], [], True),
        ([{"introduced": "0"}, {"fixed": "1.9"}], [], False),
        ([{"introduced": "0"}, {"fixed": "1.10.1"}], [], True),
        ([{"introduced": "1.10"}, {"last_affected": "1.10"}], [], True),
        ([{"introduced": "1.0"}, {"last_affected": "1.9"}], [], False),
        ([{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.10rc1"}], [], True),
        ([{"introduced": "1.11"}], ["1.10"], True),
    ],
)
def test_a_range_is_read_in_the_order_of_versions(
    events: list[dict[str, str]], versions: list[str], found: bool
) -> None:
    package = Package(ecosystem="PyPI", name="A.b")
    ranges = [Range(type="ECOSYSTEM", events=events)]
    item = Affected(package=package, ranges=ranges, versions=versions)
    assert item.holds(Requirement("a-b==1.10")) is found
    assert not item.holds(Requirement("a-c==1.10"))


def test_what_is_taken_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FAULT, encoding="utf-8")
    known = taken(tmp_path, [Requirement("some.thing==1.4")])
    assert Known.model_validate_json(as_text(known)) == known


def test_every_package_of_the_deployment_is_pinned_with_hashes() -> None:
    text = LOCK.read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text.partition("\n#    make lock\n")[2])
    assert len(blocks) == len(PINS) > 60
    assert [one for one in blocks if "--hash=sha256:" not in one] == []
    pins = {(plain(package.name), version_of(package)) for package in PINS}
    wanted = LOCK.with_suffix(".in").read_text(encoding="utf-8")
    direct = re.findall(r"^([\w.-]+)==([\w.]+)", wanted, re.MULTILINE)
    assert {(plain(name), version) for name, version in direct} <= pins


def test_what_a_pinned_package_needs_is_pinned_too() -> None:
    names = {plain(package.name) for package in PINS}
    for package in filter(is_needed_here, PINS):
        try:
            needs = [Requirement(text) for text in distribution(package.name).requires or ()]
        except PackageNotFoundError:
            continue
        here = [need for need in needs if not need.marker or need.marker.evaluate({"extra": ""})]
        assert [need.name for need in here if plain(need.name) not in names] == []

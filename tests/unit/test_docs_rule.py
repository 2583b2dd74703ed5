"""The alert rule that the README shows is one."""

import re
import shutil
from datetime import timedelta
from pathlib import Path

from ops.check.command import check
from shared.adapters.config.config_folder import rules_of
from tests.fakes import FakeClock

ROOT = Path(__file__).parents[2]


def test_the_rule_of_the_readme_passes_the_check_as_it_stands(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "docs" / "runbooks", tmp_path / "docs" / "runbooks")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    (name,) = re.findall(r"^# config/rules/(\w+)\.toml$", text, re.MULTILINE)
    (tmp_path / "config" / "rules" / f"{name}.toml").write_text(text, encoding="utf-8")
    assert check(tmp_path / "config", FakeClock()) == []
    added = {rule.name: rule for rule in rules_of(tmp_path / "config" / "rules")}[name]
    assert added.window == timedelta(hours=1)
    assert len(added.conditions) == 1

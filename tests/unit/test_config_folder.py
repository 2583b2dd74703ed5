"""The folder that an operator edits: what is wrong in it is said all at once."""

from pathlib import Path

import pytest

from shared.adapters.config.config_folder import read_routes, read_rules
from shared.errors import Misconfigured

ROOT = Path(__file__).parents[2]


def test_a_rule_file_that_is_wrong_refuses_all_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    good = (ROOT / "config/rules/HighErrorRate.toml").read_text(encoding="utf-8")
    (folder / "a.toml").write_text(good, encoding="utf-8")
    assert len(read_rules(tmp_path)) == 1
    (folder / "b.toml").write_text(good, encoding="utf-8")
    (folder / "c.toml").write_text(good.replace("critical", "urgent"), encoding="utf-8")
    with pytest.raises(Misconfigured) as refusal:
        read_rules(tmp_path)
    assert "rules/b.toml: name: HighErrorRate/critical is another file's too" in str(refusal.value)
    assert "rules/c.toml: line 3, severity: " in str(refusal.value)


def test_a_folder_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    for read in (read_rules, read_routes):
        with pytest.raises(Misconfigured, match="AGENTMETER_CONFIG"):
            read(tmp_path)


def test_every_severity_has_one_receiver(tmp_path: Path) -> None:
    routes = read_routes(ROOT / "config")
    assert routes.receiver_of("critical") == "critical"
    assert routes.receiver_of("info") == "default"
    text = (ROOT / "config/routes.toml").read_text(encoding="utf-8")
    (tmp_path / "routes.toml").write_text(
        text.replace('"error", ', '"warning", '), encoding="utf-8"
    )
    with pytest.raises(Misconfigured, match=r"0 of them name error; .*2 of them name warning"):
        read_routes(tmp_path)

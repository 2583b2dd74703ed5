"""The folder that an operator edits: what is wrong in it is said all at once."""

import shutil
from pathlib import Path

import pytest

from shared.adapters.config.config_folder import (
    read_overrides,
    read_prices,
    read_routes,
    read_rules,
)
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


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("file", ["rules/a.toml", "budgets.toml", "routes.toml", "prices.toml"])
def test_a_file_that_is_not_utf8_names_the_remedy(tmp_path: Path, file: str, encoding: str) -> None:
    (tmp_path / "rules").mkdir()
    rule = (ROOT / "config/rules/HighErrorRate.toml").read_text(encoding="utf-8")
    (tmp_path / "rules/b.toml").write_text(rule, encoding="utf-8")
    (tmp_path / file).write_text("# für \n", encoding=encoding)
    read = {"routes.toml": read_routes, "prices.toml": read_prices}.get(file, read_rules)
    with pytest.raises(Misconfigured) as refusal:
        read(tmp_path)
    said = str(refusal.value)
    assert f"{file} is not UTF-8. " in said
    assert said.endswith("Save it as UTF-8.")
    assert ("It is UTF-16" in said) == encoding.startswith("utf-16")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_marks_crlf_and_hidden_files_are_read_over(tmp_path: Path, newline: str) -> None:
    shutil.copytree(ROOT / "config", tmp_path, dirs_exist_ok=True)
    for file in tmp_path.rglob("*.toml"):
        text = file.read_text(encoding="utf-8").replace("\n", newline)
        file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    for name in ("._HighErrorRate.toml", ".#HighErrorRate.toml", ".HighErrorRate.toml"):
        (tmp_path / "rules" / name).write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "rules" / "HighErrorRate.toml~").write_bytes(b"\xff")
    assert read_rules(tmp_path) == read_rules(ROOT / "config")
    assert read_routes(tmp_path) == read_routes(ROOT / "config")
    assert read_overrides(tmp_path) == read_overrides(ROOT / "config")


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

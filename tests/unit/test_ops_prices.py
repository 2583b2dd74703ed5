"""`ops prices audit`: our prices against two independent sources."""

import io
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from ops.prices.audit import SOURCES, TABLE, audit, figures, our_figures, written
from shared.pricing.price import load
from tests.fakes import START, FakeClock
from tests.pricing import entry

SHIPPED = (Path(__file__).parents[2] / "config" / "prices.toml").read_text()
DAY = next(day for _, day in SOURCES.values())


def run(folder: Path, *argv: str) -> tuple[int, str]:
    out = io.StringIO()
    desk = Desk(Terminal(out, io.StringIO()), {}, FakeClock(START))
    return main(["prices", "audit", *argv, "--config", str(folder)], desk), out.getvalue()


@pytest.fixture(scope="module")
def audited() -> list[dict[str, Any]]:
    code, text = run(Path(__file__).parents[2] / "config", "--json")
    assert code == 0
    return json.loads(text)


def test_no_price_that_ships_is_open(audited: list[dict[str, Any]]) -> None:
    verdicts = Counter(one["verdict"] for one in audited)

    assert verdicts["open"] == 0
    assert verdicts["agrees"] >= 120
    assert len({one["seller"] for one in audited}) >= 12
    assert len({(one["seller"], one["model"]) for one in audited}) == len(audited)


def test_each_model_has_the_word_of_both_sources(audited: list[dict[str, Any]]) -> None:
    assert all(one["told"][source].split()[0] != "-" for one in audited for source in SOURCES)


def test_what_is_settled_says_by_whom(audited: list[dict[str, Any]]) -> None:
    settled = [one for one in audited if one["verdict"] == "settled"]

    assert settled
    assert all(one["vendor"] and one["vendor_source"] for one in settled)


def test_a_doubt_is_named_and_never_known(audited: list[dict[str, Any]]) -> None:
    doubted = [one for one in audited if one["verdict"] == "doubt"]

    assert doubted
    assert all(one["missing"] and one["status"] == "estimated" for one in doubted)


@pytest.mark.parametrize("rate", ["input", "output", "cache_read"])
def test_a_wrong_price_is_open(tmp_path: Path, rate: str) -> None:
    wrong = entry("price", provider="openai", model="gpt-4.1", **{rate: "7.77"})
    (tmp_path / "prices.toml").write_text(SHIPPED + wrong)

    code, text = run(tmp_path)

    assert code == 1
    assert [line.split()[:3] for line in text.splitlines() if " open " in line] == [
        ["openai", "gpt-4.1", "open"]
    ]


def test_a_settled_price_that_moves_is_open_again() -> None:
    moved = entry("price", provider="groq", model="openai/gpt-oss-safeguard-20b", cache_read="0.04")

    [found] = [one for one in audit(load(moved)) if one.model == "openai/gpt-oss-safeguard-20b"]

    assert found.verdict == "open"


def test_a_fee_by_the_request_is_no_rate_of_tokens() -> None:
    text = entry("price", provider="x", model="y", input=3, output=15, cache_read="0.3", request=9)

    assert our_figures(load(text), "x", "y", DAY) == figures("3 15 0.3 -")


def test_figures_are_read_as_they_are_written() -> None:
    assert figures("2.5 - 0.003625 -") == (Decimal("2.5"), None, Decimal("0.003625"), None)
    assert written(figures("2.5 - 0.003625 -")) == "2.5 - 0.003625 -"


def test_the_table_is_sorted_so_that_its_changes_read_well() -> None:
    lines = TABLE.read_text().splitlines()[1:]

    assert lines == sorted(lines, key=lambda line: line.split(",")[:2])

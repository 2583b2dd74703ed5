"""`ops bill`: each line follows from an amount, a list price and what is free."""

import json
from io import StringIO

import pytest

from ops.__main__ import main
from ops.bill.month import Deployment, month, total
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.fakes import FakeClock


def ops(*words: str) -> tuple[int, str]:
    out = StringIO()
    return main(("bill", *words), Desk(Terminal(out, StringIO()), {}, FakeClock())), out.getvalue()


def usd(one: Deployment, what: str) -> float:
    (line,) = (line for line in month(one) if line.what.startswith(what))
    return line.usd


def test_what_is_free_is_taken_off_once() -> None:
    idle = Deployment(instance_gb=2)
    assert usd(idle, "172,800 evaluations") == pytest.approx((345_600 - 100_000) * 0.000026)
    assert usd(Deployment(instance_gb=0.5), "172,800 evaluations") == 0
    assert usd(idle, "logs") == 0


def test_always_ready_has_no_free_part() -> None:
    warm = Deployment(instance_gb=2, warm=True)
    assert usd(warm, "172,800 evaluations") == pytest.approx(345_600 * 0.000016)
    assert usd(warm, "3 instances kept warm") == pytest.approx(3 * 2 * 2_592_000 * 0.000004)


def test_a_million_calls_more_cost_what_the_page_says() -> None:
    small, large = (Deployment(calls=calls, instance_gb=2) for calls in (2e7, 2.1e7))
    assert total(month(large)) - total(month(small)) == pytest.approx(2.50, abs=0.1)


def test_it_is_a_table_for_people_and_json_for_machines() -> None:
    code, text = ops("--calls", "1e6")
    assert (code, text.splitlines()[-1].split()[0]) == (0, "together")
    code, text = ops("--calls", "1e6", "--json")
    answer = json.loads(text)
    assert answer["usd"] == pytest.approx(sum(line["usd"] for line in answer["lines"]))


def test_a_negative_number_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ops("--calls", "-1")
    assert "-1 is not above 0." in capsys.readouterr().err

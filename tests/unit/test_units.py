"""One table of units: a field of Usage alone reaches rates, rows, labels, OTLP and the client."""

from decimal import Decimal
from pathlib import Path

import pytest

from shared.events.columns import NUMBERS
from shared.metrics.catalogue import TOKEN_PARTS, TOKEN_TOTALS
from shared.pricing.listed import NAMES
from shared.pricing.overrides import PRICE
from shared.pricing.rates import compile_rates
from shared.units import MAX_COUNT, MILLION, PARTS, RATES, UNITS, Usage, total_of

CLIENT = Path(__file__).parents[2] / "client" / "src" / "agentmeter_client"
FIELDS = {unit.rate: field for field, unit in UNITS.items()}


def test_every_field_of_usage_is_a_row_of_the_table() -> None:
    assert UNITS.keys() == Usage.model_fields.keys()


def test_names_are_unique_in_each_place() -> None:
    for names in (
        [unit.rate for unit in RATES.values()],
        [unit.listed for unit in RATES.values()],
        [unit.stored for unit in UNITS.values() if unit.stored],
        [name for unit in UNITS.values() for name in unit.otlp],
        [name for unit in UNITS.values() for name in unit.raw],
    ):
        assert len(names) == len(set(names))


def test_a_whole_stands_before_its_parts() -> None:
    order = list(RATES)
    for name, unit in RATES.items():
        assert not unit.part_of or order.index(unit.part_of) < order.index(name)


@pytest.mark.parametrize("field", UNITS)
def test_a_unit_reaches_every_place(field: str) -> None:
    unit = UNITS[field]
    assert unit.rate in PRICE.model_fields
    assert NAMES[unit.listed] == unit.rate
    assert field in {column.key for column in NUMBERS}
    labelled = TOKEN_TOTALS.keys() | TOKEN_PARTS.keys()
    is_deep = bool(unit.part_of and RATES[unit.part_of].part_of)
    assert (field in labelled) == (unit.per == MILLION and not is_deep)
    assert any(f'"{field}"' in path.read_text(encoding="utf-8") for path in CLIENT.glob("*.py"))


@pytest.mark.parametrize("field", UNITS)
def test_a_unit_is_charged_at_its_own_rate(field: str) -> None:
    unit = UNITS[field]
    rates = compile_rates({name: Decimal(n) for n, name in enumerate(RATES, 2)})
    whole = {FIELDS[name]: MAX_COUNT for name in _wholes(unit.rate)}
    with_it = Usage.model_validate({**whole, field: 1_000})
    without = Usage.model_validate({**whole, field: 0})
    beyond = Decimal(list(RATES).index(unit.rate) + 2) / unit.per
    if unit.part_of:
        beyond -= Decimal(list(RATES).index(unit.part_of) + 2) / RATES[unit.part_of].per
    assert rates.charge(with_it, 1)[0] - rates.charge(without, 1)[0] == beyond * 1_000


@pytest.mark.parametrize(("parts", "whole"), PARTS)
def test_parts_beyond_their_whole_are_refused(parts: tuple[str, ...], whole: str) -> None:
    total = dict.fromkeys(("input_tokens", "output_tokens", whole), 10)
    fitting = total | dict.fromkeys(parts, 10 // len(parts))
    assert Usage.model_validate(fitting)
    with pytest.raises(ValueError, match=f"more than {whole}, 10, of which it is a part"):
        Usage.model_validate(fitting | {parts[0]: 11})


def test_the_total_of_a_deep_part_is_found() -> None:
    assert total_of(UNITS["cache_write_1h_tokens"]) == UNITS["input_tokens"]


def _wholes(rate: str) -> list[str]:
    whole = RATES[rate].part_of
    return [whole, *_wholes(whole)] if whole else []

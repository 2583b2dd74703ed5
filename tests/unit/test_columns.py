"""Every field of every kind of event is a column of UsageEvents, and reaches its row."""

import pytest
from pydantic import BaseModel, TypeAdapter

from shared.events.columns import COLUMNS, columns_of
from shared.events.types import KINDS, AgentEvent, AnyEvent
from shared.units import Usage
from shared.usecases.processing.rows import event_row
from tests.factories import DATA, event
from tests.fakes import START

EXAMPLES = {"string": "7", "long": 3, "real": 1.5}
USAGE = dict.fromkeys(Usage.model_fields, 1) | {"input_tokens": 100, "output_tokens": 100}
READ: TypeAdapter[AnyEvent] = TypeAdapter(AgentEvent)


class Heard(BaseModel):
    """Data whose fields all have a column."""

    words: tuple[str, ...] = ()
    share: float | None = None


class Unheard(BaseModel):
    """Data with a field that no column holds."""

    nested: dict[str, str] = {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_an_event_reaches_its_row(kind: str) -> None:
    data = KINDS[kind]
    stated: dict[str, object] = {
        one.key: EXAMPLES[one.type] for one in columns_of(data) if one.key not in USAGE
    }
    nested = {"usage": USAGE} if "usage" in data.model_fields else {}
    lists = {name: ["7"] for name, field in data.model_fields.items() if field.default == ()}
    given = {**stated, **nested, **lists}
    read = READ.validate_python(event(kind) | {"data": given})
    row = event_row(read, None, 1, START)
    wanted = stated | (USAGE if nested else {})
    assert {**row.text, **row.numbers}.items() >= {
        key: value for key, value in wanted.items() if key != "cost_usd"
    }.items()


def test_names_of_columns_are_unique_however_they_are_written() -> None:
    for names in ([c.name for c in COLUMNS], [c.key for c in COLUMNS]):
        assert len(names) == len(set(names))
    for is_text in (True, False):
        stored = [c.stored for c in COLUMNS if (c.type == "string") == is_text]
        assert len(stored) == len(set(stored))


def test_several_texts_are_one_column() -> None:
    assert [(c.key, c.type) for c in columns_of(Heard)] == [("words", "string"), ("share", "real")]


def test_a_field_that_no_column_holds_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"Unheard\.nested: no column holds dict"):
        list(columns_of(Unheard))


def test_there_is_an_example_of_every_kind() -> None:
    assert DATA.keys() == KINDS.keys()

"""Where a fault of a TOML file stands is said by line, entry and field."""

from decimal import Decimal

import pytest
from pydantic import BaseModel

from shared.errors import Misconfigured
from shared.toml_file import Document, Location, read

TEXT = '''\
# Of a tool that writes comments.
name = "all"
size.width = [
  1,
  2,  # of two lines
]
text = """
[fast]
hold = 1
"""

[fast]
hold = 2

[[budget]]
name = "red"
scope = { team = ["a", "b"] }
  [[ budget ]]
  name = "blue"
[budget.burn]
"per.cent" = 0.5
[[budget.note]]
text = "first"
[[budget.note]]
text = "second"
'''


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (("name",), "line 2, name"),
        (("size", "width", 1), "line 3, size.width.1"),
        (("text",), "line 7, text"),
        (("fast", "hold"), "line 13, fast.hold"),
        (("fast", "absent"), "line 12, fast.absent"),
        (("budget", 0, "scope", "team", 1), "line 17, [[budget]] 1: scope.team.1"),
        (("budget", 1), "line 18, [[budget]] 2"),
        (("budget", 1, "burn", "per.cent"), "line 21, [[budget]] 2: burn.per.cent"),
        (("budget", 1, "note", 1, "text"), "line 25, [[budget]] 2: note.1.text"),
        (("absent",), "absent"),
        ((), "the file"),
    ],
)
def test_a_place_is_a_line_an_entry_and_a_field(location: Location, place: str) -> None:
    assert Document(TEXT, "a.toml", "").place(location) == place


class Bound(BaseModel, extra="forbid"):
    most: int


class Limit(BaseModel, extra="forbid"):
    bound: Bound | bool
    amount: Decimal = Decimal(0)


class File(BaseModel, extra="forbid"):
    limit: list[Limit]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limit = 1", "line 1, limit: Input should be a valid list"),
        ("[[limit]]\n[limit.bound]\n", "line 2, [[limit]] 1: bound.most: Field required; add it"),
        (
            "[[limit]]\nbound = true\n\nbuond = 1\n",
            "line 4, [[limit]] 1: buond: Extra inputs are not permitted; correct its name, or",
        ),
        ("\nlimit = [\n", "line 2: Invalid value; it is no TOML"),
        ("a = 1\nb = c", "line 2, column 5: Invalid value; it is no TOML"),
        ("a = 1\na = 2", "line 2: Cannot overwrite a value; it is no TOML"),
        (f"a = {'9' * 5000}", "Exceeds the limit (4300 digits)"),
        ("a = 1e99999999999999999999", "it is no TOML"),
        (f"a = {'[' * 5000}", "maximum recursion depth exceeded"),
    ],
)
def test_a_wrong_file_is_refused_by_line_field_and_remedy(text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        read(File, text, "limits.toml", "See the docs.")
    assert str(refusal.value).startswith("limits.toml: ")
    assert said in str(refusal.value)
    assert str(refusal.value).endswith(". See the docs.")


def test_each_fault_is_named_at_once_and_amounts_are_exact() -> None:
    text = "[[limit]]\nbound = true\namount = 0.1\n[[limit]]\nbound = true\namount = 0.3\n"

    def lint(file: File) -> list[tuple[Location, str]]:
        assert sum(one.amount for one in file.limit) == Decimal("0.4")
        return [(("limit", n, "amount"), "too small; write 1") for n in (0, 1)]

    with pytest.raises(Misconfigured) as refusal:
        read(File, text, "limits.toml", "See the docs.", lint)
    assert str(refusal.value) == (
        "limits.toml: line 3, [[limit]] 1: amount: too small; write 1; "
        "line 6, [[limit]] 2: amount: too small; write 1. See the docs."
    )

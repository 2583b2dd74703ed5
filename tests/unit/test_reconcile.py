"""What the counts that are told mean, by the conventions of who tells them."""

import pytest

from shared.events.reconcile import Counts, Reported, count_of, reconcile

CLAUDE, GEMINI, GROK, GPT = "claude-sonnet-4-5", "gemini-2.5-pro", "grok-4", "gpt-4o"


def reconciled(
    model: str, given: int, made: int, total: int | None = None, cache: str = "", **more: int
) -> tuple[Counts, tuple[str, ...]]:
    counts = {"input_tokens": given, "output_tokens": made}
    counts |= {f"{name}_tokens": count for name, count in more.items()}
    found = reconcile(Reported(counts, total, model, cache))
    assert found.counts is not None
    return found.counts, found.doubts


@pytest.mark.parametrize(
    ("model", "convention", "total", "whole"),
    [
        pytest.param(CLAUDE, "api", None, 1400, id="claude-api"),
        pytest.param(CLAUDE, "inside", None, 1000, id="claude-inside"),
        pytest.param(CLAUDE, "", 1480, 1400, id="claude-total-beside"),
        pytest.param(CLAUDE, "", 1080, 1000, id="claude-total-inside"),
        pytest.param("amazon.nova-pro-v1:0", "api", None, 1400, id="nova-api"),
        pytest.param("us.openai.gpt-oss-120b", "api", None, 1000, id="openai-on-bedrock"),
        pytest.param("us.openai.gpt-oss-120b", "", 1480, 1000, id="total-counts-cache-twice"),
        pytest.param(GPT, "beside", None, 1400, id="told-beside"),
        pytest.param(GPT, "", None, 1000, id="openai"),
    ],
)
def test_input_includes_the_cache(
    model: str, convention: str, total: int | None, whole: int
) -> None:
    counts, doubts = reconciled(
        model, 1000, 80, total, cache=convention, cache_read=300, cache_write=100
    )
    assert (counts["input_tokens"], doubts) == (whole, ())


def test_more_cache_than_input_of_claude_is_beside() -> None:
    assert reconciled(CLAUDE, 12, 300, cache_read=50_000)[0]["input_tokens"] == 50_012


@pytest.mark.parametrize(
    ("model", "convention", "total", "whole", "doubts"),
    [
        pytest.param(GROK, "", 1300, 300, (), id="grok-total"),
        pytest.param(GROK, "", None, 180, ("reasoning_tokens",), id="grok-without-total"),
        pytest.param(GROK, "inside", None, 180, (), id="told-inside"),
        pytest.param(GEMINI, "api", None, 300, (), id="gemini-api"),
        pytest.param(GEMINI, "", 1180, 180, (), id="gemini-total-inside"),
        pytest.param("o3", "", None, 180, (), id="openai"),
    ],
)
def test_output_includes_the_reasoning(
    model: str, convention: str, total: int | None, whole: int, doubts: tuple[str, ...]
) -> None:
    counts, found = _with_reasoning(model, convention, total)
    assert (counts["output_tokens"], found) == (whole, doubts)


def _with_reasoning(
    model: str, convention: str, total: int | None
) -> tuple[Counts, tuple[str, ...]]:
    counts = {"input_tokens": 1000, "output_tokens": 180, "reasoning_tokens": 120}
    found = reconcile(Reported(counts, total, model, reasoning=convention))
    assert found.counts is not None
    return found.counts, found.doubts


@pytest.mark.parametrize(
    ("model", "total", "made", "doubts"),
    [
        pytest.param(GEMINI, 4100, 3100, (), id="gemini-thoughts"),
        pytest.param(GPT, 4100, 100, ("total_tokens",), id="unexplained"),
        pytest.param(GPT, 500, 100, ("total_tokens",), id="less-than-its-parts"),
        pytest.param(GPT, 1100, 100, (), id="adds-up"),
        pytest.param(GPT, None, 100, (), id="none"),
    ],
)
def test_the_total_is_explained_or_named(
    model: str, total: int | None, made: int, doubts: tuple[str, ...]
) -> None:
    counts, found = reconciled(model, 1000, 100, total)
    assert (counts["output_tokens"], found) == (made, doubts)


def test_the_total_says_the_output_that_is_not_reported() -> None:
    found = reconcile(Reported({"input_tokens": 1000}, 1100, GPT))
    assert (found.counts, found.doubts) == ({"input_tokens": 1000, "output_tokens": 100}, ())


@pytest.mark.parametrize(
    ("counts", "makes_output", "doubts"),
    [
        ({"input_tokens": 1000}, True, ("output_tokens",)),
        ({"input_tokens": 1000}, False, ()),
        ({"output_tokens": 100}, True, ("input_tokens",)),
    ],
)
def test_a_part_that_is_not_reported_is_in_doubt(
    counts: Counts, makes_output: bool, doubts: tuple[str, ...]
) -> None:
    assert reconcile(Reported(counts, output_expected=makes_output)).doubts == doubts


def test_what_is_cut_is_in_doubt_and_said() -> None:
    counts = {"input_tokens": 100, "output_tokens": 10, "reasoning_tokens": 300}
    found = reconcile(Reported(counts, model="gpt-5"))
    assert found.counts == {"input_tokens": 100, "output_tokens": 10, "reasoning_tokens": 10}
    assert found.doubts == ("reasoning_tokens",)
    assert found.notes == ("reasoning_tokens 300 was cut to output_tokens 10",)


@pytest.mark.parametrize("counts", [{}, {"input_tokens": 0, "output_tokens": 0}])
def test_zeros_are_no_usage(counts: Counts) -> None:
    assert reconcile(Reported(counts)).counts is None


@pytest.mark.parametrize("value", [-1, 0.5, 1e12, float("inf"), float("nan")])
def test_what_is_no_count_of_one_call(value: float) -> None:
    assert count_of(value) is None

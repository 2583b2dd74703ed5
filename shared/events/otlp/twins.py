"""Merges spans of two instrumentations that report one call."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared.events.identity import GLOBALLY_UNIQUE_CHARS
from shared.events.otlp.record import Call, Record
from shared.events.providers import provider_of

_DATED = 8
"""Digits of a date in a model's name: what stands before them is the model."""
MOST_RUNNING = 64
"""Calls of equal counts at one time, among which the twin of a span is searched."""

NEAR_NS = 10 * 10**9
"""Between the ends of a call as a log and as a span report them."""

SLACK_NS = 20 * 10**6
"""Between the ends of a call as two instrumentations beside each other report them."""
MOST_TWINS = 8
"""Spans that report one call, beyond those with its answer's id."""

Key = tuple[str, str]


def groups_of(calls: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Yield the spans of each call that several report, the one that knows most first.

    What found two of them by their answer joins a third that agrees with one of them.
    """
    group_of: dict[Key, list[Record]] = {}
    for first, *others in _by_answer(calls):
        for other in others:
            _unite(group_of, first, other)
    for first, *others in (*_by_counts(calls), *_by_meeting(calls)):
        for other in others:
            if _can_be_one(_group(group_of, first), _group(group_of, other)):
                _unite(group_of, first, other)
    for key, group in group_of.items():
        if len(group) > 1 and group[0].key == key:
            yield sorted(group, key=knowledge, reverse=True)


def _group(group_of: dict[Key, list[Record]], record: Record) -> list[Record]:
    """Return the spans that are known to report the span's call, itself included."""
    return group_of.setdefault(record.key, [record])


def _unite(group_of: dict[Key, list[Record]], one: Record, other: Record) -> None:
    group, joining = _group(group_of, one), _group(group_of, other)
    if group is not joining:
        group += joining
        group_of |= dict.fromkeys((record.key for record in joining), group)


def _can_be_one(one: Sequence[Record], other: Sequence[Record]) -> bool:
    """Return whether two groups may be of one call: they have no scope in common and no two ids."""
    both = [*one, *other]
    ids = {record.call.response_id for record in both if record.call} - {None}
    scopes = {record.scope for record in one} & {record.scope for record in other}
    return (
        len(both) <= MOST_TWINS
        and len(ids) < 2
        and (not scopes or one[0].is_log or other[0].is_log)
    )


def knowledge(record: Record) -> tuple[int, int, int]:
    """Return how much a span knows of its call, to be compared with another's."""
    call = record.call
    if call is None:
        return (0, 0, 0)
    counts = sum(1 for count in (call.usage or {}).values() if count)
    return (int(call.usage is not None), counts - len(call.doubts), int(bool(call.response_id)))


def merged(call: Call, others: Sequence[Call]) -> Call:
    """Return the call with what the others know besides; where they agree on its size, counts too.

    A part that one of them does not report is no doubt where another does.
    """
    for other in others:
        usage = _usage(call, other)
        call = replace(
            call,
            provider=other.provider if call.provider == "unknown" else call.provider,
            model=call.model or other.model,
            response_model=call.response_model or other.response_model,
            response_id=call.response_id or other.response_id,
            service_tier=call.service_tier or other.service_tier,
            deployment=call.deployment or other.deployment,
            usage=usage,
            doubts=call.doubts if usage else other.doubts,
            cost_usd=call.cost_usd or other.cost_usd,
        )
    return call


def _usage(call: Call, other: Call) -> dict[str, int] | None:
    mine, theirs = call.usage, other.usage
    if not mine or not theirs or sizes(mine) != sizes(theirs):
        return mine or theirs
    return {name: mine.get(name, 0) or theirs.get(name, 0) for name in {**mine, **theirs}}


def same_size(one: Record, other: Record) -> bool:
    """Return whether two spans agree on input and output, as far as both tell them."""
    mine, theirs = (record.call.usage if record.call else None for record in (one, other))
    return not mine or not theirs or sizes(mine) == sizes(theirs)


def sizes(usage: Mapping[str, int]) -> tuple[int, int]:
    """Return input and output."""
    return usage.get("input_tokens", 0), usage.get("output_tokens", 0)


def _by_answer(calls: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Yield spans with one response id that is unique by itself."""
    found = defaultdict[str, list[Record]](list)
    for record in calls:
        answer = record.call.response_id if record.call else None
        if answer and len(answer) >= GLOBALLY_UNIQUE_CHARS:
            found[answer].append(record)
    yield from found.values()


def _by_counts(calls: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Yield pairs of spans, of two scopes of one service, that agree on all that both report.

    Calls of one scope are never twins of each other: two at once with equal counts are two calls.
    A framework's callbacks may have a trace of their own; its span then lies around the client's.
    Failed calls without counts are alike by their model.
    """
    alike = defaultdict[tuple[object, ...], list[Record]](list)
    for record in calls:
        if record.call and (record.call.usage or record.error):
            size = sizes(record.call.usage) if record.call.usage else (record.call.model,)
            alike[record.source, record.is_embedding, *size].append(record)
    for candidates in alike.values():
        yield from _pairs(sorted(candidates, key=lambda record: record.start_ns))


def _by_meeting(calls: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Yield pairs of a log and a span that do not name each other, yet end at nearly one time."""
    met = defaultdict[str, list[Record]](list)
    for record in sorted(calls, key=lambda record: record.end_ns):
        if place := _met_at(record):
            met[place].append(record)
    for group in met.values():
        spans = deque(record for record in group if not record.is_log)
        for log in (record for record in group if record.is_log):
            while spans and spans[0].end_ns < log.end_ns - NEAR_NS:
                spans.popleft()
            if spans and spans[0].end_ns <= log.end_ns + NEAR_NS:
                yield log, spans.popleft()


def _met_at(record: Record) -> str:
    """Return where a call meets its other report: by size, or, failed, below one and the same."""
    failed = record.error is not None and not record.is_counted and not record.is_unlinked
    return record.meeting or (f"{record.trace_id}:{record.parent_id}" if failed else "")


def _pairs(candidates: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Yield pairs of the spans, which are in the order of their begin."""
    by_scope = defaultdict[str, dict[Key, Record]](dict)
    for record in candidates:
        by_scope[record.scope][record.key] = record
    first, *others = sorted(by_scope.values(), key=len, reverse=True)
    for record in first.values() if others else ():
        yield (record, *(twin for other in others if (twin := _take_twin(record, other))))


def _take_twin(record: Record, waiting: dict[Key, Record]) -> Record | None:
    """Take the span's twin out of those that wait, and forget those that ended before it.

    No later span can overlap these; so each is visited a bounded number of times.
    """
    over: list[Key] = []
    twin: Record | None = None
    running = 0
    for key, other in waiting.items():
        if other.end_ns <= record.start_ns:
            over.append(key)
            continue
        if other.start_ns >= record.end_ns or running == MOST_RUNNING:
            break
        running += 1
        if _agree(record, other):
            twin = other
            over.append(key)
            break
    for key in over:
        del waiting[key]
    return twin


def _agree(one: Record, other: Record) -> bool:
    """Return whether two spans can be of one call: at one time, of one model, with no two ids."""
    a, b = one.call, other.call
    if a is None or b is None or (a.response_id and b.response_id):
        return False
    if one.trace_id == other.trace_id and one.is_counted:
        at_once = one.start_ns < other.end_ns and other.start_ns < one.end_ns
    else:
        at_once = _lies_in(one, other) or _lies_in(other, one)
    return at_once and bool(_models(a) & _models(b)) and _same_seller(a, b)


def _lies_in(inner: Record, outer: Record) -> bool:
    """Return whether a span lies in another, or is as good as beside it."""
    begins = 0 < outer.start_ns <= inner.start_ns + SLACK_NS and inner.start_ns < outer.end_ns
    return begins and inner.end_ns <= outer.end_ns + SLACK_NS


def _models(call: Call) -> set[str]:
    names = {name.lower().rpartition("/")[2] for name in (call.model, call.response_model) if name}
    return {name for full in names for name in (full, _undated(full))}


def _undated(name: str) -> str:
    """Return the model's name without the date that an answer adds."""
    head, _, date = name.rpartition("-")
    if date.isdecimal() and len(date) == _DATED:
        return head
    year = name.rsplit("-", 3)
    is_date = [len(part) for part in year[1:]] == [4, 2, 2] and "".join(year[1:]).isdecimal()
    return year[0] if is_date else name


def _same_seller(one: Call, other: Call) -> bool:
    sellers = {provider_of(call.provider) for call in (one, other)} - {"unknown"}
    return len(sellers) < 2

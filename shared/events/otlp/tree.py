"""How the spans of one request hang together: who called whom, and who tells it a second time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from shared.events.identity import GLOBALLY_UNIQUE_CHARS
from shared.events.otlp.names import (
    agent_name,
    error_type,
    operation_of,
    response_id_of,
    role_of,
    workflow_name,
)
from shared.events.otlp.span import Span
from shared.events.otlp.usage import usage_of

Key = tuple[str, str]


class SpanTree:
    """The spans of a request, each with those above it as far as they are in the request too."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._by_key = {span.key: span for span in spans}
        self._models = [span for span in self._by_key.values() if role_of(span) == "model"]
        self._with_models = {above.key for span in self._models for above in self.above(span)}
        self._repeats = self._find_repeats()
        self._repeats |= self._find_twins()
        self._told_below = self._find_told_below()

    def above(self, span: Span) -> Iterator[Span]:
        """Yield the span's parent, its parent and so on; a circle is walked once."""
        seen = {span.key}
        parent = self._by_key.get(span.parent_key)
        while parent is not None and parent.key not in seen:
            yield parent
            seen.add(parent.key)
            parent = self._by_key.get(parent.parent_key)

    def calls_models(self, span: Span) -> bool:
        """Tell whether a model call lies below the span."""
        return span.key in self._with_models

    def repeats(self, span: Span) -> bool:
        """Tell whether the span reports a model call that another span of the request reports."""
        return span.key in self._repeats

    def error_told_below(self, span: Span) -> bool:
        """Tell whether the span's error is one that came up from a span below it."""
        return span.key in self._told_below

    def agent(self, span: Span) -> Span | None:
        """Return the agent's span that the span is, or that is nearest above it."""
        if role_of(span) == "agent" and agent_name(span):
            return span
        return next((s for s in self.above(span) if role_of(s) == "agent" and agent_name(s)), None)

    def main_agent(self, span: Span) -> str | None:
        """Return the agent at the top; None where the request does not hold the trace's root."""
        line = [span, *self.above(span)]
        if line[-1].parent_id:
            return None
        return next((name for s in reversed(line) if (name := agent_name(s))), None)

    def workflow(self, span: Span) -> str | None:
        """Return the workflow that the span belongs to."""
        return next((n for s in (span, *self.above(span)) if (n := workflow_name(s))), None)

    def _find_repeats(self) -> set[Key]:
        """A framework's span around that of the client library is the same call: count one.

        The inner one, unless the outer alone knows what was used.
        """
        within = defaultdict[Key, list[Span]](list)
        for inner in self._models:
            for outer in self.above(inner):
                if role_of(outer) == "model" and _is_embedding(inner) == _is_embedding(outer):
                    within[outer.key].append(inner)
        found: set[Key] = set()
        for outer, inners in within.items():
            if any(_is_counted(inner) for inner in inners) or not _is_counted(self._by_key[outer]):
                found.add(outer)
            else:
                found |= {inner.key for inner in inners if not inner.failed}
        return found

    def _find_twins(self) -> set[Key]:
        """Two instrumentations side by side tell of one answer: count the one that knows more."""
        by_answer = defaultdict[str, list[Span]](list)
        for span in self._models:
            answer = response_id_of(span) or ""
            if len(answer) >= GLOBALLY_UNIQUE_CHARS and span.key not in self._repeats:
                by_answer[answer].append(span)
        return {
            twin.key
            for twins in by_answer.values()
            for twin in sorted(twins, key=_is_counted, reverse=True)[1:]
        }

    def _find_told_below(self) -> set[Key]:
        found: set[Key] = set()
        for span in self._by_key.values():
            error = error_type(span)
            if error is None or role_of(span) is None:
                continue
            for outer in self.above(span):
                if error_type(outer) in (error, "error"):
                    found.add(outer.key)
        return found


def _is_embedding(span: Span) -> bool:
    return operation_of(span) == "embeddings"


def _is_counted(span: Span) -> bool:
    return usage_of(span)[0] is not None

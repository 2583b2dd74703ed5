"""What makes a dialect: how an instrumentation's spans are known, and what its attributes mean."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

Names = tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """How one instrumentation writes its spans.

    name: for a person to read. scopes: names of its instrumentation scopes; what follows such a
        name and a point is its too. marks: attributes that it alone writes.
    operations: pattern of a span's name, or of the attribute `operation_in`, → operation in the
        words of the newest conventions; "repeat" is a span that reports what others report.
    names: field → attributes, before the common ones; the first present wins.
    shared: its names are common: other instrumentations write them too.
    added: field → attributes whose counts stand beside it and are part of it.
    blind: attribute → pattern; where all match, cached tokens may be used that it does not report.
    usage_in, cost_in: attributes that hold the usage, or the cost, as JSON.
    cache, reasoning: where it counts them, as shared.events.reconcile has it; "inside" where one
        of the attributes inside_if stands beside them.
    provider, agent_name: of a program that is an agent itself, where it does not say.
    sellers: its own words for a seller → provider.
    meets: its spans or logs and those of another instrumentation have traces of their own: they
        meet by size and time.
    agent_in: pattern of an agent's span name, group 1 the agent.
    repeats: pattern of the names of spans that make no call unless they count tokens or failed.
    agents_call: a failed agent's span is a failed call where it names a model.
    not_stated: what it does not say, for docs/opentelemetry.md.
    """

    name: str
    scopes: Names = ()
    marks: Names = ()
    spans: str = ""
    operation_in: str = ""
    operations: Mapping[str, str] = field(default_factory=dict[str, str])
    names: Mapping[str, Names] = field(default_factory=dict[str, Names])
    added: Mapping[str, Names] = field(default_factory=dict[str, Names])
    shared: bool = False
    blind: Mapping[str, str] = field(default_factory=dict[str, str])
    usage_in: Names = ()
    cost_in: Names = ()
    cache: str = ""
    reasoning: str = ""
    inside_if: Names = ()
    provider: str = ""
    sellers: Mapping[str, str] = field(default_factory=dict[str, str])
    agent_name: str = ""
    meets: bool = False
    agent_in: str = ""
    repeats: str = ""
    agents_call: bool = False
    not_stated: str = ""

    def operation(self, name: str) -> str | None:
        """Return what a span of that name, or of that value of `operation_in`, did."""
        found = (operation for pattern, operation in self._patterns if pattern.search(name))
        return next(found, None)

    def agent(self, span_name: str) -> str | None:
        """Return the agent that the name of an agent's span holds."""
        found = re.search(self.agent_in, span_name) if self.agent_in else None
        return found[1].strip() or None if found else None

    def repeated(self, span_name: str) -> bool:
        """Return whether a span of that name makes no call of its own."""
        return bool(self.repeats and re.search(self.repeats, span_name))

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [(re.compile(text), operation) for text, operation in self.operations.items()]

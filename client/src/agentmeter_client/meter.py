"""The meter: what an agent's program talks to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from agentmeter_client.attribution import Attribution, Scope, current, stated
from agentmeter_client.details import (
    AgentDetails,
    CallDetails,
    Details,
    ErrorDetails,
    MissionDetails,
    Money,
    fields,
)
from agentmeter_client.guard import Guard
from agentmeter_client.line import Line
from agentmeter_client.llm import LlmCall
from agentmeter_client.settings import LOOPBACK, Limits, Target, default_source, target
from agentmeter_client.stats import Stats
from agentmeter_client.trace import traceparent
from agentmeter_client.work import Words, Work
from agentmeter_client.wrap import Client, wrap_client

if TYPE_CHECKING:
    from typing_extensions import Unpack

log = logging.getLogger("agentmeter_client")

STATUS = Words()
HTTP_STATUS = Words(good="200", bad="500", cancelled="499")
OUTCOME = Words(field="outcome", bad="failed")
NOWHERE = Target(False, "", 0, "", "")


class Meter:
    """Reports what agents do and use. It never raises into the agent's code and never blocks it.

    Methods that measure return a guard: `with`, `async with`, or a decorator. Every method takes
    attribution (`team_id=…`) and `count=…` as keywords.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        key: str | None = None,
        *,
        source: str | None = None,
        spool: str | Path | None = None,
        limits: Limits | None = None,
        **attribution: Unpack[Attribution],
    ) -> None:
        """Without an endpoint the meter is off: events are counted as dropped, and that is logged.

        endpoint, key: AGENTMETER_ENDPOINT and AGENTMETER_KEY if not given.
        source: who sends; None: this program on this host, unlike any other process. Two processes
            of one source overwrite each other's gauges.
        spool: a directory for what cannot be sent, which survives the process.
        attribution: of every event of this meter; Meter.attribution() adds to it.
        """
        self._who = stated(attribution)
        self._limits = limits or Limits()
        where = target(endpoint, key)
        self._host = "off" if isinstance(where, str) else where.host
        self._line = Line(
            NOWHERE if isinstance(where, str) else where,
            self._limits,
            Path(spool) if spool and not isinstance(where, str) else None,
            self._who,
        )
        self._source = source[:256] if source else None
        self._default_source = default_source()
        if isinstance(where, str):
            self._line.shut()
            log.warning("agentmeter is off, %s.", where)
        elif not where.tls and where.host not in LOOPBACK:
            log.warning("agentmeter sends the key to %s in clear. Use https.", where.host)

    def __repr__(self) -> str:
        return f"Meter({self._host!r})"

    def attribution(self, **attribution: Unpack[Attribution]) -> Scope:
        """Return a `with` block: everything inside is attributed so."""
        return Scope(stated(attribution))

    def llm_call(
        self, provider: str, model: str | None = None, **details: Unpack[CallDetails]
    ) -> Guard[LlmCall]:
        """Measure a model call; give its response to `call.read` or its stream to `call.stream`.

        As a decorator it reads what the function returns or yields. model: None takes the one
        that the response names.
        """
        given = cast("Mapping[str, object]", details)
        data = {"provider": provider or "unknown", "model": model or "unknown", **fields(given)}
        who = stated(given) if given else {}
        return Guard(lambda: LlmCall(self._work("llm.call", STATUS, data), model), who)

    def wrap(self, client: Client, **details: Unpack[CallDetails]) -> Client:
        """Measure every call of a client of OpenAI, Anthropic or google-genai, sync or async.

        The client is returned, and stays what it is: its call sites stay as they are. Streams
        count when they are read; of a chat's stream of OpenAI the usage is asked for.
        """

        def begin(provider: str, model: str | None) -> Guard[LlmCall]:
            azure = {"deployment": model} if provider == "azure" and model else {}
            return self.llm_call(provider, model, **cast("Any", {**azure, **details}))

        return wrap_client(client, begin)

    def agent_operation(
        self, agent_type: str, operation: str, **details: Unpack[AgentDetails]
    ) -> Guard[Work]:
        """Measure a piece of work of an agent, which is counted among the active ones meanwhile.

        Everything inside is of this agent type.
        """
        given = cast("Mapping[str, object]", details)
        kind = str(agent_type)
        data = {"agent_type": kind, "operation": operation, **fields(given)}
        who = {**stated(given), "agent_type": kind}
        return Guard(lambda: self._agent_at_work(kind, data), who)

    def http_request(self, method: str, path: str, **details: Unpack[Details]) -> Guard[Work]:
        """Measure a request that this service answers; set `status` to the answer's.

        path: the route's pattern, such as /teams/{id}: it is a label, so its values must be few.
        """
        return self._measured("http.request", HTTP_STATUS, details, method=method, path=path)

    def db_query(self, operation: str, **details: Unpack[Details]) -> Guard[Work]:
        """Measure a database query; operation: "select", never its text."""
        return self._measured("db.query", STATUS, details, operation=operation)

    def mission(self, name: str | None = None, /, **details: Unpack[MissionDetails]) -> Guard[Work]:
        """Measure the mission of this id; everything inside is of it.

        Its outcome is success or failed, or what `status` is set to; `note(error=…)` adds a text.
        """
        given = dict(cast("Mapping[str, object]", details))
        if name is not None:
            given["mission_id"] = name
        return self._measured("mission.completed", OUTCOME, given)

    def team_active(self, status: str, value: float, **details: Unpack[Details]) -> None:
        """Say how many teams are in this status now."""
        self._say("team.active", details, status=status, value=value)

    def agent_active(self, agent_type: str, value: float, **details: Unpack[AgentDetails]) -> None:
        """Say how many agents are at work now, where no guard counts them."""
        self._say("agent.active", details, agent_type=agent_type, value=value)

    def task_queue(self, priority: str, value: float, **details: Unpack[Details]) -> None:
        """Say how many tasks of this priority wait now."""
        self._say("task.queue", details, priority=priority, value=value)

    def db_pool(self, state: str, value: float, **details: Unpack[Details]) -> None:
        """Say how many connections are in this state now."""
        self._say("db.pool", details, state=state, value=value)

    def cache_ratio(self, cache_type: str, value: float, **details: Unpack[Details]) -> None:
        """Say what share of look-ups this cache answers now, 0 to 1."""
        self._say("cache.ratio", details, cache_type=cache_type, value=value)

    def task(self, operation: str, status: str = "success", **details: Unpack[Details]) -> None:
        """Count a step in the life of a task: created, assigned, ended."""
        given = {name: v for name, v in details.items() if name != "operation"}
        self._say("task.operation", given, operation=operation, status=status)

    def cache(self, operation: str, result: str, **details: Unpack[Details]) -> None:
        """Count a cache look-up: "get", "hit"."""
        self._say("cache.operation", details, operation=operation, result=result)

    def error(
        self, component: str, error: BaseException | str, **details: Unpack[ErrorDetails]
    ) -> None:
        """Count an error, by an exception or the name of its kind."""
        kind = error if isinstance(error, str) else type(error).__name__
        self._say("error", details, component=component, error_type=kind)

    def error_recovery(self, recovery_type: str, result: str, **details: Unpack[Details]) -> None:
        """Count an attempt to recover: "retry", "success"."""
        self._say("error.recovery", details, recovery_type=recovery_type, result=result)

    def revenue(self, pricing_tier: str, amount_usd: Money, **details: Unpack[Details]) -> None:
        """Count money that came in. A Decimal arrives unrounded."""
        self._say("revenue", details, pricing_tier=pricing_tier, amount_usd=amount_usd)

    def record_llm_call(
        self,
        provider: str,
        model: str,
        usage: Mapping[str, int] | None = None,
        status: str = "success",
        **details: Unpack[CallDetails],
    ) -> None:
        """Count model calls that were measured elsewhere; `count` says how many, tokens are totals.

        usage: input_tokens, output_tokens, cache_read_tokens …, as docs/events.md names them.
        """
        said = {"usage": dict(usage)} if usage is not None else {}
        self._say("llm.call", details, provider=provider, model=model, status=status, **said)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Send what waits; True once all is delivered, refused for good, or safe in the spool."""
        return self._line.flush(timeout_s)

    async def aflush(self, timeout_s: float = 5.0) -> bool:
        """Do as flush does, without blocking the event loop."""
        return await asyncio.get_running_loop().run_in_executor(None, self.flush, timeout_s)

    def close(self, timeout_s: float | None = None) -> bool:
        """Flush and end; events that come later are counted as dropped. Python's end does this."""
        return self._line.close(self._limits.exit_timeout_s if timeout_s is None else timeout_s)

    def stats(self) -> Stats:
        """Return what became of the events so far."""
        return self._line.stats()

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def _measured(
        self, kind: str, words: Words, details: Mapping[str, object], **data: object
    ) -> Guard[Work]:
        """Return the guard of a plain piece of work."""
        data.update(fields(details))
        return Guard(lambda: self._work(kind, words, data), stated(details))

    def _agent_at_work(self, agent_type: str, data: Mapping[str, object]) -> Work:
        """Begin an agent's work, and count it."""
        self._line.agents.change(agent_type, 1)
        who = {**self._who, **current()}
        return Work(self._agent_ended, "agent.operation", STATUS, who, dict(data))

    def _agent_ended(
        self,
        kind: str,
        parent: str | None,
        who: Mapping[str, str],
        data: Mapping[str, object],
    ) -> None:
        """End an agent's work."""
        self._line.agents.change(str(data["agent_type"]), -1)
        self._emit(kind, parent, who, data)

    def _work(self, kind: str, words: Words, data: Mapping[str, object]) -> Work:
        """Begin a piece of work."""
        return Work(self._emit, kind, words, {**self._who, **current()}, dict(data))

    def _say(self, kind: str, details: Mapping[str, object], **data: object) -> None:
        """Make an event of something that took no time."""
        who = {**self._who, **current(), **stated(details)}
        self._emit(kind, traceparent(), who, {**fields(details), **data})

    def _emit(
        self,
        kind: str,
        parent: str | None,
        who: Mapping[str, str],
        data: Mapping[str, object],
    ) -> None:
        """Hand an event to the line; no error leaves here."""
        try:
            source = self._source or f"{self._default_source}#{self._line.backlog.line}"
            self._line.put(source, kind, parent, who, data)
        except Exception:
            log.exception("agentmeter could not record an event.")

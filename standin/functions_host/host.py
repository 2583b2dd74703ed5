"""Runs a Functions app on a laptop: real HTTP, queues that last, timers, or one step at a time."""

import logging
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

import azure.functions as func
from azure.functions.timer import TimerRequest

from shared.clock import Clock
from standin.functions_host.admin import Admin
from standin.functions_host.hostjson import read_host_json
from standin.functions_host.http import Front, create_app
from standin.functions_host.index import HttpFunction, QueueFunction, TimerFunction, index
from standin.functions_host.insights import Insights
from standin.functions_host.invoke import Call, Done, Failed, Invoker
from standin.functions_host.keys import Keys
from standin.functions_host.listener import Listener
from standin.functions_host.message import argument
from standin.functions_host.queues import LEASE, POISON, TIME_TO_LIVE, Message, Queues
from standin.functions_host.timers import Timer, TimerStatuses

ASYNC_REQUESTS = 128
LONGEST_NAP_S = 60.0
SHORTEST_NAP_S = 0.05
INSIGHTS_WAIT_S = 1.0

log = logging.getLogger("agentmeter.host")


class LocalHost:
    """Azure's Functions host for one app, in this process.

    asgi: serve it for HTTP. keys: open it. queues: for operators and tests. insights: tells whoever
    is set as its `track` of every invocation. Without start() nothing
    happens by itself: drain() and tick() are the steps.
    """

    def __init__(
        self,
        app: func.FunctionApp,
        *,
        host_json: Mapping[str, object],
        settings: Mapping[str, str],
        state: Path | None,
        keys: Keys,
        clock: Clock,
    ) -> None:
        """Index the app, which works once for an app object, and open the state.

        host_json: the parsed file. settings: what %NAME% stands for, and
        PYTHON_THREADPOOL_THREAD_COUNT. state: the file of queues and timers; None: memory.
        keys: of functions of auth level function and admin, and of the host's own routes.
        Raises:
            FunctionLoadError: the app would not index in Azure either.
            Misconfigured: host.json is wrong, or %NAME% has no setting.
        """
        self._options = read_host_json(host_json)
        self.keys = keys
        self.functions = index(app, self._options.route_prefix, settings)
        self._clock = clock
        self.queues = Queues(state, clock, self._options.message_limit_bytes)
        self._statuses = TimerStatuses(state)
        self.insights = Insights(clock)
        logging.getLogger().addHandler(self.insights)
        self._invoker = Invoker(self.queues, self.insights)
        self._consumers = [f for f in self.functions if isinstance(f, QueueFunction)]
        self._timers = [
            Timer(f, self._statuses, self._run_timer, clock)
            for f in self.functions
            if isinstance(f, TimerFunction)
        ]
        self._pools = {False: ThreadPoolExecutor(_threads(settings), "http")}
        self._pools[True] = ThreadPoolExecutor(ASYNC_REQUESTS, "http-async")
        front = Front(
            [f for f in self.functions if isinstance(f, HttpFunction)],
            keys,
            self._invoker,
            self._pools,
        )
        names = [f.name for f in self.functions]
        runnable = {f.name for f in self.functions if not isinstance(f, HttpFunction)}
        admin = Admin(keys, names, runnable, self.run, self.queues)
        self.asgi = create_app(front, admin)
        self._listeners: list[Listener] = []
        self._tickers: list[threading.Thread] = []
        self._stopping = threading.Event()

    def enqueue(self, queue: str, text: str | bytes) -> str:
        """Put a message into a queue as a producer would; return its id.

        Raises:
            TooLarge: it is over what a queue takes.
        """
        return self.queues.put(queue, text)

    def drain(self) -> int:
        """Handle every visible message of the app's queues, here, until none is; return how many.

        A message that fails waits for its visibilityTimeout, and is not seen again unless that
        is zero or the clock moves.
        """
        handled, seen = 0, -1
        while handled != seen:
            seen = handled
            for function in self._consumers:
                for message in self.queues.lease(function.queue, 1):
                    self._handle(function, message)
                    handled += 1
        self.insights.flush()
        return handled

    def tick(self, now: datetime) -> list[str]:
        """Run the timers that are due, here, each at most once; return their functions' names.

        The first tick is the start: a run missed while the host was down is made up then.
        """
        ran = [timer.function.name for timer in self._timers if timer.tick(now)]
        self.insights.flush()
        return ran

    def run(self, name: str, text: str = "") -> bool:
        """Run a queue or timer function now, whatever its queue or schedule says.

        text: the message of a queue function. Returns False if there is no such function.
        """
        for timer in self._timers:
            if timer.function.name == name:
                timer.run_now()
                return True
        for function in self._consumers:
            if function.name == name:
                self._consume(function, self._message(function.queue, text))
                return True
        return False

    def start(self) -> None:
        """Listen to the queues and run the timers in threads, until stop()."""
        self._stopping.clear()
        self._listeners = [
            Listener(f.queue, self.queues, self._options, partial(self._handle, f), self._clock)
            for f in self._consumers
        ]
        self._tickers = [
            threading.Thread(
                target=self._keep_time, args=(timer,), name=timer.function.name, daemon=True
            )
            for timer in self._timers
        ]
        self._tickers.append(
            threading.Thread(target=self._flush_insights, name="insights", daemon=True)
        )
        for worker in (*self._listeners, *self._tickers):
            worker.start()

    def stop(self) -> None:
        """Start nothing new, and let what is at work end (queue messages: for up to 10 s)."""
        self._stopping.set()
        for listener in self._listeners:
            listener.stop()
        for ticker in self._tickers:
            ticker.join()
        self._listeners, self._tickers = [], []
        self.insights.flush()

    def close(self) -> None:
        """Stop, and close the state."""
        self.stop()
        for pool in self._pools.values():
            pool.shutdown()
        self._invoker.close()
        logging.getLogger().removeHandler(self.insights)
        self._statuses.close()
        self.queues.close()

    def _handle(self, function: QueueFunction, message: Message) -> None:
        """Run the function, then delete the message, or hide it, or give it up."""
        has_poison_queue = not message.queue.endswith(POISON)
        tries_left = self._options.max_dequeue_count - message.dequeue_count
        if tries_left < 0 and has_poison_queue:
            self._give_up(message)
        elif isinstance(self._consume(function, message), Done):
            self.queues.delete(message)
        elif not has_poison_queue:
            return  # It stays hidden until its lease ends, so that it cannot spin.
        elif tries_left == 0:
            self._give_up(message)
        else:
            self.queues.release(message, self._options.visibility_timeout_s)

    def _consume(self, function: QueueFunction, message: Message) -> Done[object] | Failed:
        call = Call(function, partial(argument, function, message), _as_is)
        return self._invoker.run(call)

    def _give_up(self, message: Message) -> None:
        most = self._options.max_dequeue_count
        log.warning(
            "Message %s has reached MaxDequeueCount of %d. Moving message to queue '%s'.",
            *(message.id, most, message.queue + POISON),
        )
        self.queues.poison(message)

    def _run_timer(self, function: TimerFunction, request: TimerRequest) -> object:
        return self._invoker.run(Call(function, lambda: request, _as_is))

    def _keep_time(self, timer: Timer) -> None:
        while not self._stopping.is_set():
            timer.tick(self._clock.now())
            nap_s = timer.due_in(self._clock.now()).total_seconds()
            self._stopping.wait(min(max(nap_s, SHORTEST_NAP_S), LONGEST_NAP_S))

    def _flush_insights(self) -> None:
        while not self._stopping.wait(INSIGHTS_WAIT_S):
            self.insights.flush()

    def _message(self, queue: str, text: str) -> Message:
        """Return a message that is in no queue."""
        now = self._clock.now()
        times = (now, now + TIME_TO_LIVE, now + LEASE)
        return Message("", queue, text.encode(), 0, *times, pop_receipt="")


def _threads(settings: Mapping[str, str]) -> int:
    """Return the size of the worker's thread pool."""
    chosen = settings.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    return int(chosen) if chosen.isdecimal() else min(32, (os.cpu_count() or 1) + 4)


def _as_is(value: object) -> object:
    return value

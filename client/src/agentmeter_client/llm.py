"""A model call under measure: usage is read from what the provider answered."""

from __future__ import annotations

import logging
from typing import Any, TypeVar, cast

from agentmeter_client.chunks import Chunks
from agentmeter_client.streams import Hide, TrackedStream, is_stream
from agentmeter_client.usage import Reading, read
from agentmeter_client.work import Work

log = logging.getLogger("agentmeter_client")
Response = TypeVar("Response")


class LlmCall:
    """One call. Give it the response, or the stream, and it finds the rest.

    status: "success" or "error" if not set.
    """

    __slots__ = ("_asked", "_chunks", "_complete", "_deferred", "_open", "_work")

    def __init__(self, work: Work, model: str | None) -> None:
        self._work = work
        self._asked = model
        self._chunks: Chunks | None = None
        self._complete = False
        self._open = False
        self._deferred = False

    @property
    def status(self) -> str | int | None:
        """What became of the call, where it is neither success nor the error that was raised."""
        return self._work.status

    @status.setter
    def status(self, status: str | int | None) -> None:
        self._work.status = status

    def note(self, **fields: object) -> None:
        """Set fields of the event by hand, such as `usage={"input_tokens": 5, …}`."""
        self._work.note(**fields)

    def read(self, response: Response) -> Response:
        """Take usage, response id, model and service tier from the response, and return it."""
        try:
            self._keep(read(response))
        except Exception:
            log.exception("agentmeter could not read a response; the call counts without usage.")
        return response

    def stream(self, chunks: Response, hide: Hide | None = None) -> Response:
        """Return the stream, sync or async, with its chunks read as they pass.

        If it leaves the `with` block unread, the call ends when the stream does.
        hide: whether to keep a chunk back.
        """
        self._chunks = Chunks()
        self._open = True
        return cast("Response", self._tracked(chunks, hide))

    def _tracked(self, chunks: Any, hide: Hide | None) -> TrackedStream:
        return TrackedStream(chunks, self._saw, self._stream_ended, hide)

    def observe(self, result: Response) -> Response:
        """Look at what a decorated function returned: a response or a stream."""
        return self.stream(result) if is_stream(result) else self.read(result)

    def observe_item(self, item: object) -> None:
        """Look at a chunk that a decorated generator yielded."""
        if self._chunks is None:
            self._chunks = Chunks()
        self._saw(item)

    def end(self, error: BaseException | None = None) -> None:
        """Make the event, unless a stream of the call is not read yet."""
        if self._open and error is None:
            self._deferred = True
            return
        self._open = False
        if self._chunks is not None:
            self._keep(self._chunks.reading(self._complete))
        if error is not None:
            self._work.note(error_type=type(error).__name__)
        self._work.end(error)

    def finish_items(self) -> None:
        """Note that a decorated generator ran to its end."""
        self._complete = True

    def _saw(self, chunk: object) -> None:
        """Look at a chunk; from the first on, the stream is being read here."""
        if not self._deferred:
            self._open = False
        try:
            if self._chunks is not None:
                self._chunks.add(chunk)
        except Exception:
            log.exception("agentmeter could not read a chunk; the call may count without usage.")

    def _stream_ended(self, complete: bool, error: BaseException | None) -> None:
        """End the call, if the `with` block has left that to the stream."""
        self._complete = complete
        self._open = False
        if self._deferred:
            self._deferred = False
            self.end(error)

    def _keep(self, reading: Reading) -> None:
        """Set what the provider said; its model is the model where none was asked for."""
        said = {name: value for name, value in reading._asdict().items() if value is not None}
        if self._asked is None and reading.response_model:
            said["model"] = reading.response_model
        self._work.note(**said)

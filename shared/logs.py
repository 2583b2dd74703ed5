"""Writes what agentmeter logs as one JSON object a line."""

import json
import logging
from datetime import UTC, datetime

from shared.invocation import here

PACKAGES = ("shared", "functions")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; whatever else one has is a field of what is logged."""


class JsonLines(logging.Handler):
    """Hands each record on to the root's handlers, which are the host's, with JSON for a message.

    So the host keeps what it knows of the record (invocation, level), and nothing is said twice.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        line = logging.makeLogRecord(vars(record))
        line.msg, line.args = as_json(record), ()
        line.exc_info = line.exc_text = line.stack_info = None
        logging.getLogger().handle(line)


def set_up(level: str) -> None:
    """Let the app's own loggers write JSON from that level on; a repeat changes the level alone."""
    for name in PACKAGES:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        logger.handlers[:] = [JsonLines()]


def as_json(record: logging.LogRecord) -> str:
    """Return the record as a JSON object: time, level, message, logger, where it was, its fields.

    Of an exception its type and frames are logged, and its text only as far as the message has it:
    what others raise may hold an address that is a secret.
    """
    said: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "message": record.getMessage(),
        "logger": record.name,
        **_where(),
    }
    said |= {name: value for name, value in vars(record).items() if name not in STANDARD}
    if record.exc_info and record.exc_info[0]:
        said |= {"exception": record.exc_info[0].__name__, "stack": _frames(record)}
    return json.dumps(said, default=str, ensure_ascii=False)


def _where() -> dict[str, str]:
    """Say which invocation this is of, in which trace, and what it is about."""
    place = here()
    if place is None:
        return {}
    ids = {"trace_id": place.span.trace_id, "span_id": place.span.span_id}
    whose = {"function": place.invocation.function, "invocation_id": place.invocation.id}
    return {**whose, **ids, **place.about}


def _frames(record: logging.LogRecord) -> list[str]:
    trace = record.exc_info[2] if record.exc_info else None
    frames: list[str] = []
    while trace:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames

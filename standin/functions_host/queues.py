"""Storage queues on SQLite: at least once, unordered, with leases, as Azure's are."""

import threading
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.clock import Clock
from shared.errors import TooLarge
from standin.functions_host.database import Database

LEASE = timedelta(minutes=10)
TIME_TO_LIVE = timedelta(days=7)
POISON = "-poison"
SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, queue TEXT NOT NULL,
    body BLOB NOT NULL, dequeue_count INTEGER NOT NULL, inserted_at REAL NOT NULL,
    expires_at REAL NOT NULL, visible_at REAL NOT NULL, receipt TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_visible
    ON messages (queue, visible_at, seq, expires_at, inserted_at);
CREATE INDEX IF NOT EXISTS messages_expiry ON messages (expires_at);
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as one reader holds it.

    dequeue_count: how often it was handed out, this time included. pop_receipt: proves that the
    reader still has the lease; the next lease makes a new one.
    """

    id: str
    queue: str
    body: bytes
    dequeue_count: int
    inserted_at: datetime
    expires_at: datetime
    visible_at: datetime
    pop_receipt: str


@dataclass(frozen=True, slots=True)
class Depth:
    """How full a queue is. oldest_age_s: None when it is empty; invisible ones count too."""

    visible: int
    invisible: int
    oldest_age_s: float | None


class Queues:
    """Every queue of the laptop, in one file. Names are lower-cased; first use creates a queue."""

    def __init__(self, path: Path | None, clock: Clock, limit_bytes: int = 49_152) -> None:
        """Keep the queues in that file (None: in memory).

        limit_bytes: the longest message, before the host encodes it.
        """
        self._db = Database(path, SCHEMA)
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._redeliveries: dict[str, int] = {}
        self._listeners: dict[str, list[threading.Event]] = {}

    def create(self, queue: str) -> bool:
        """Make the queue; False if it is there already."""
        rows = self._db.run("INSERT OR IGNORE INTO queues VALUES (?) RETURNING name", queue.lower())
        return bool(rows)

    def put(self, queue: str, body: str | bytes, *, dequeue_count: int = 0) -> str:
        """Store one message durably; return its id.

        dequeue_count: how often it counts as handed out already.
        Raises:
            TooLarge: it is over the limit of a queue.
        """
        checked = self._checked(queue, body)
        with self._db.transaction():
            message_id = self._insert(queue.lower(), checked, dequeue_count)
        self._announce({queue.lower()})
        return message_id

    def lease(self, queue: str, most: int) -> list[Message]:
        """Hand out up to `most` visible messages, oldest first, hidden from others for 10 min."""
        now = self._clock.now()
        with self._db.transaction():
            self._use(queue.lower(), now)
            rows = self._db.run(
                "UPDATE messages SET dequeue_count = dequeue_count + 1, visible_at = ?, "
                "receipt = hex(randomblob(8)) WHERE seq IN (SELECT seq FROM messages "
                "WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?) "
                "RETURNING *",
                (now + LEASE).timestamp(),
                queue.lower(),
                now.timestamp(),
                most,
            )
        return [_message(row) for row in sorted(rows)]

    def renew(self, message: Message) -> bool:
        """Hide the message for another 10 minutes; False if the lease is lost."""
        return self._hide(message, LEASE)

    def release(self, message: Message, delay_s: float) -> bool:
        """End the lease: the message is visible again in so many seconds; False if lost."""
        return self._hide(message, timedelta(seconds=delay_s))

    def end_leases(self) -> None:
        """Make every leased message visible: their holder is known to be dead.

        Azure cannot know that and waits for 10 minutes; a laptop has one process for a folder.
        """
        now = self._clock.now().timestamp()
        with self._db.transaction():
            self._db.run("UPDATE messages SET visible_at = ? WHERE visible_at > ?", now, now)

    def delete(self, message: Message) -> bool:
        """Remove the message for good; False if the lease was lost and it will come again."""
        with self._db.transaction():
            left = self._redeliveries.get(message.queue, 0)
            if not left:
                return self._remove(message)
            self._redeliveries[message.queue] = left - 1
            self.release(message, 0)
            return False

    def redeliver(self, queue: str, times: int) -> None:
        """Fault: the next `times` deletes in that queue fail, so those messages come twice."""
        self._redeliveries[queue.lower()] = times

    def poison(self, message: Message) -> None:
        """Move the message to `<queue>-poison` as a new one: new id, never handed out."""
        with self._db.transaction():
            if self._remove(message):
                self._insert(message.queue + POISON, message.body)

    def names(self) -> list[str]:
        """Return every queue that was ever used."""
        return [name for (name,) in self._db.run("SELECT name FROM queues ORDER BY name")]

    def counts(self) -> dict[str, Depth]:
        """Return how full each queue is."""
        now = self._clock.now().timestamp()
        rows = self._db.run(
            "SELECT name, count(iif(visible_at <= ?, 1, NULL)), count(iif(visible_at > ?, 1, NULL))"
            ", ? - min(inserted_at) FROM queues LEFT JOIN messages "
            "ON queue = name AND expires_at > ? GROUP BY name ORDER BY name",
            *(now, now, now, now),
        )
        return {
            name: Depth(visible, hidden, oldest_age_s)
            for name, visible, hidden, oldest_age_s in rows
        }

    def peek(self, queue: str, most: int = 32) -> list[Message]:
        """Return messages, oldest first, leased ones too, without touching them."""
        rows = self._db.run(
            "SELECT * FROM messages WHERE queue = ? AND expires_at > ? ORDER BY seq LIMIT ?",
            queue.lower(),
            self._clock.now().timestamp(),
            most,
        )
        return [_message(row) for row in rows]

    def take(
        self, queue: str, message_id: str, puts: Iterable[tuple[str, str]] = ()
    ) -> Message | None:
        """Remove a message without a holder, and put others into queues in the same step.

        puts: pairs of queue and text.
        Returns the message, or None if it is gone or leased.
        Raises:
            TooLarge: a text is over the limit of a queue. The message stays.
        """
        bodies = [(queue.lower(), self._checked(queue, text)) for queue, text in puts]
        with self._db.transaction():
            rows = self._db.run(
                "DELETE FROM messages WHERE queue = ? AND id = ? AND visible_at <= ? RETURNING *",
                *(queue.lower(), message_id, self._clock.now().timestamp()),
            )
            for to, body in bodies if rows else ():
                self._insert(to, body)
        self._announce({to for to, _ in bodies})
        return _message(rows[0]) if rows else None

    def listen(self, queue: str, event: threading.Event) -> None:
        """Set the event whenever this process puts a message into the queue."""
        self._listeners.setdefault(queue.lower(), []).append(event)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _announce(self, queues: set[str]) -> None:
        for queue in queues:
            for event in self._listeners.get(queue, ()):
                event.set()

    def _checked(self, queue: str, body: str | bytes) -> bytes:
        raw = body.encode() if isinstance(body, str) else bytes(body)
        if len(raw) <= self._limit_bytes:
            return raw
        raise TooLarge(
            f"A message of {len(raw)} bytes for queue {queue}; a queue takes "
            f"{self._limit_bytes} before base64. Split it."
        )

    def _insert(self, queue: str, body: bytes, dequeue_count: int = 0) -> str:
        now = self._clock.now()
        self._use(queue, now)
        message_id = str(uuid.uuid4())
        self._db.run(
            "INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, '')",
            *(message_id, queue, body, dequeue_count, now.timestamp()),
            *((now + TIME_TO_LIVE).timestamp(), now.timestamp()),
        )
        return message_id

    def _use(self, queue: str, now: datetime) -> None:
        self._db.run("INSERT OR IGNORE INTO queues VALUES (?)", queue)
        self._db.run("DELETE FROM messages WHERE expires_at <= ?", now.timestamp())

    def _hide(self, message: Message, span: timedelta) -> bool:
        rows = self._db.run(
            "UPDATE messages SET visible_at = ? WHERE id = ? AND receipt = ? RETURNING seq",
            *((self._clock.now() + span).timestamp(), message.id, message.pop_receipt),
        )
        return bool(rows)

    def _remove(self, message: Message) -> bool:
        rows = self._db.run(
            "DELETE FROM messages WHERE id = ? AND receipt = ? RETURNING seq",
            *(message.id, message.pop_receipt),
        )
        return bool(rows)


def _message(row: Sequence[Any]) -> Message:
    _, message_id, queue, body, count, *times, receipt = row
    moments = (datetime.fromtimestamp(time, UTC) for time in times)
    return Message(message_id, queue, body, count, *moments, pop_receipt=receipt)

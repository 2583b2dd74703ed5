"""The price list in force: the installed one, or one that is fetched anew from time to time."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests

from shared.clock import Clock
from shared.errors import RetryLater
from shared.pricing.listed import Listing, parse_listing

CONNECT_S, READ_S = 3.05, 5.0
MOST_TIME = timedelta(seconds=15)
MOST_BYTES = 32 * 1024 * 1024
LEAST_SHARE = 0.5
"""A list with fewer of the models that are known now was cut off, or is of something else."""
AFTER_FAILURE = timedelta(minutes=10)
NAMED = 10

logger = logging.getLogger(__name__)


class PriceList:
    """Returns the list in force; fits price_book's `listing`.

    Nothing runs by itself: whoever asks when a fetch is due, waits for it. After a failure the
    list goes on as it was, and the next try comes ten minutes later.
    """

    def __init__(self, url: str, every: timedelta, clock: Clock) -> None:
        """url: of a file as genai-prices publishes it; "" never fetches."""
        self._url = url
        self._every = every
        self._clock = clock
        self._listing: Listing = Listing()
        self._digest: str = ""
        self._due_at = clock.now()
        self._fetched_at: datetime | None = None
        self._failure = ""

    def __call__(self) -> Listing:
        """Return the list in force, fetched anew when that is due. Never raises."""
        if self._url and self._clock.now() >= self._due_at:
            self._refresh(self._clock.now())
        return self._listing

    def check(self) -> str:
        """Say which list is in force, and how old it is.

        Raises:
            RetryLater: the last try to fetch one failed.
        """
        age = (
            f"fetched {(self._clock.now() - self._fetched_at).total_seconds() / 3600:.1f} h ago"
            if self._fetched_at
            else "as installed"
        )
        if self._failure:
            raise RetryLater(f"{self._listing.name}, {age}. {self._failure}")
        return f"{self._listing.name}, {age}"

    def _refresh(self, now: datetime) -> None:
        self._due_at = now + min(AFTER_FAILURE, self._every)
        try:
            self._take(self._fetch(now), now)
        except (requests.RequestException, ValueError) as exc:
            what = str(exc) if type(exc) is ValueError else type(exc).__name__
            self._failure = (
                f"No newer list from {urlsplit(self._url).hostname}: {what}. It is tried again; if "
                "this lasts, see PRICES_REFRESH_URL."
            )
            logger.warning("%s", self._failure)
            return
        self._due_at = now + self._every
        self._fetched_at, self._failure = now, ""

    def _take(self, data: bytes, now: datetime) -> None:
        """Let the fetched list come into force, unless it is the one that is."""
        digest = hashlib.sha256(data).hexdigest()
        if digest == self._digest:
            return
        fresh = parse_listing(data, f"genai-prices as of {now:%Y-%m-%d %H:%M} UTC")
        known = self._listing.models().keys()
        if len(known & fresh.models().keys()) < LEAST_SHARE * len(known):
            raise ValueError("it has not even half of the models that are known")
        difference = changes(self._listing, fresh) or "no difference"
        logger.warning("%s in place of %s: %s", fresh.name, self._listing.name, difference)
        self._listing, self._digest = fresh, digest

    def _fetch(self, now: datetime) -> bytes:
        """Return the file, which is nowhere else: no redirect is followed.

        Raises:
            ValueError: it takes too long or too much, or has moved.
        """
        parts: list[bytes] = []
        size = 0
        with requests.get(
            self._url, timeout=(CONNECT_S, READ_S), stream=True, allow_redirects=False
        ) as answer:
            answer.raise_for_status()
            if answer.is_redirect:
                raise ValueError("it has moved; write the new address into PRICES_REFRESH_URL")
            for part in answer.iter_content(65_536):
                parts.append(part)
                size += len(part)
                if size > MOST_BYTES or self._clock.now() - now > MOST_TIME:
                    raise ValueError(f"over {MOST_BYTES} bytes or {MOST_TIME.seconds} seconds")
        return b"".join(parts)


def changes(before: Listing, after: Listing) -> str:
    """Return in a sentence which models came, went and cost something else; "" where none did."""
    old, new = before.models(), after.models()
    added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    repriced = [
        name
        for name in sorted(old.keys() & new.keys())
        if (old[name].prices, old[name].price_variants)
        != (new[name].prices, new[name].price_variants)
    ]
    said = _said((added, "added"), (removed, "removed"), (repriced, "with another price"))
    return "; ".join(said)


def _said(*kinds: tuple[Sequence[str], str]) -> Iterator[str]:
    for names, what in kinds:
        if names:
            more = ", …" if len(names) > NAMED else ""
            yield f"{len(names)} {what} ({', '.join(names[:NAMED])}{more})"

"""Fails a test whose output, log or files of log hold a secret; tests/conftest.py switches it on.

Secrets are what any setting or model of a test run holds as one, and the keys of its stacks.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

FORM = re.compile(r"(?=.*[0-9A-Z-])\S{12,}")
"""How a secret looks; shorter ones and plain words are found by chance."""
IN_CONNECTION_STRINGS = re.compile(r"(?:AccountKey|SharedAccessSignature|sig)=([^;&]+)")
LOGS, KEYS = "*.log", "*.key"
NO_SECRETS = frozenset({"00000000-0000-0000-0000-000000000000"})
_known: set[str] = set()
_init = SecretStr.__init__


def _noted(self: SecretStr, secret_value: str) -> None:
    """Make a secret as pydantic does, and know it."""
    _init(self, secret_value)
    _known.update(parts_of(secret_value))


SecretStr.__init__ = _noted


def parts_of(secret: str) -> Iterator[str]:
    """Yield what must not be seen of a secret: all of it, and the keys in a connection string."""
    texts = [secret, *IN_CONNECTION_STRINGS.findall(secret)]
    yield from (text for text in texts if FORM.fullmatch(text) and text not in NO_SECRETS)


def seen(secrets: Iterable[str], text: str) -> bool:
    """Tell whether one of them stands in the text."""
    return any(secret in text for secret in secrets)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the report of a test that tells a secret into a failure, which does not quote it."""
    report = yield
    texts = dict(report.sections)
    if report.when == "teardown":
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        texts |= dict(_files(folder)) if folder else {}
    where = [name for name, text in texts.items() if seen(_known, text)]
    if where:
        report.outcome = "failed"
        report.longrepr = f"A secret of this test run is in: {', '.join(where)}"
        report.sections = [part for part in report.sections if part[0] not in where]
    return report


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the logs that processes of the test wrote, once the keys beside them are known."""
    for key in folder.rglob(KEYS):
        _known.update(parts_of(key.read_text(encoding="utf-8", errors="replace")))
    for log in folder.rglob(LOGS):
        yield log.name, log.read_text(encoding="utf-8", errors="replace")

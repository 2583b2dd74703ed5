"""Prometheus itself, where it is installed: its checker, and a server that scrapes."""

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

LIMIT_S = 30.0
PAUSE_S = 0.2
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: agentmeter
    authorization: {{credentials: "{token}"}}
    file_sd_configs: [{{files: ["{targets}"]}}]
    relabel_configs: [{{target_label: instance, replacement: app}}]
"""


def installed(name: str) -> str:
    """Return the path of `prometheus` or `promtool`; where it is missing, skip, or fail if CI says
    so."""
    path = shutil.which(name)
    required = os.environ.get("AGENTMETER_REQUIRE_PROMETHEUS")  # noqa: TID251  # no setting of the app
    if not path:
        (pytest.fail if required == "1" else pytest.skip)(f"{name} is not installed")
    return path


class Prometheus:
    """A server that scrapes one address every second, under whatever addresses that goes."""

    def __init__(self, folder: Path, token: str) -> None:
        """folder: for all that it writes. token: what it shows to the address it scrapes."""
        self._targets = folder / "targets.json"
        self._targets.write_text("[]", encoding="ascii")
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(token=token, targets=self._targets), encoding="ascii")
        self._url = f"http://127.0.0.1:{free_port()}"
        self._process = subprocess.Popen(  # noqa: S603  # a fixed command, no shell
            [
                installed("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'series'}",
                f"--web.listen-address={self._url.removeprefix('http://')}",
                "--log.level=error",
            ],
            cwd=folder,
        )

    def __enter__(self) -> "Prometheus":
        self.until(self._is_ready, "to be ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=LIMIT_S)

    def scrape(self, url: str) -> None:
        """Scrape this one from now on; its series go on under the same labels."""
        groups = [{"targets": [url.removeprefix("http://")]}]
        fresh = self._targets.with_suffix(".new")
        fresh.write_text(json.dumps(groups), encoding="ascii")
        fresh.replace(self._targets)

    def ask(self, expr: str) -> list[dict[str, Any]]:
        """Return the samples that a query has for an answer."""
        return self._get("query", query=expr)["result"]

    def values(self, expr: str) -> list[float]:
        """Return their values."""
        return [float(sample["value"][1]) for sample in self.ask(expr)]

    def series(self, match: str) -> list[dict[str, str]]:
        """Return the labels of every series that the selector lets through."""
        return self._get("series", **{"match[]": match})

    def kinds(self) -> dict[str, str]:
        """Return what each family says it is."""
        return {name: said[0]["type"] for name, said in self._get("metadata").items()}

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait for it."""
        pause = threading.Event()
        for _ in range(int(LIMIT_S / PAUSE_S)):
            assert self._process.poll() is None, "Prometheus ended"
            if is_so():
                return
            pause.wait(PAUSE_S)
        raise AssertionError(f"Prometheus took too long {what}: {self._get('targets')}")

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self._url}/-/ready", timeout=LIMIT_S).status_code == 200
        except requests.ConnectionError:
            return False

    def _get(self, what: str, **parameters: str) -> Any:
        answer = requests.get(f"{self._url}/api/v1/{what}", params=parameters, timeout=LIMIT_S)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]

"""Prometheus itself, where it is installed: its checker, and a server that scrapes."""

import os
import shutil

import pytest


def installed(name: str) -> str:
    """Return the path of `prometheus` or `promtool`; where it is missing, skip, or fail if CI says
    so."""
    path = shutil.which(name)
    required = os.environ.get("AGENTMETER_REQUIRE_PROMETHEUS")  # noqa: TID251  # no setting of the app
    if not path:
        (pytest.fail if required == "1" else pytest.skip)(f"{name} is not installed")
    return path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    text = "instrumentations: installs agents' packages into .cache, minutes the first time"
    config.addinivalue_line("markers", text)

"""A test run in which a secret is seen fails, and does not quote it."""

import logging

import pytest

pytest_plugins = ("pytester",)
SECRET = "s3cret-of-this-test-run"  # noqa: S105 - made up
CONFTEST = "from tests.leaks import pytest_runtest_makereport as pytest_runtest_makereport\n"
TESTS = f"""
import logging
from pydantic import BaseModel, SecretStr
class Settings(BaseModel):
    KEY: SecretStr
    STORE: SecretStr = SecretStr("AccountName=a;AccountKey=YWNjb3VudC1rZXk=;EndpointSuffix=b")
KEY = Settings(KEY="{SECRET}").KEY.get_secret_value()
def test_silent(): print(Settings(KEY=KEY))
def test_printed(): print("the key is", KEY)
def test_logged(): logging.getLogger("x").warning("key=%s", KEY)
def test_part(): print("YWNjb3VudC1rZXk=")
def test_failed(): print(KEY); assert False
def test_in_a_file(tmp_path):
    (tmp_path / "function.key").write_text("made-by-a-stack")
    (tmp_path / "home.log").write_text("started with made-by-a-stack")
"""


def test_a_secret_in_output_log_or_file_fails_the_run(
    pytester: pytest.Pytester,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What the inner run logs and prints would fail this test, too.
    monkeypatch.setattr(logging.getLogger(), "handlers", list[logging.Handler]())
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    run = pytester.runpytest_inprocess("-rA", "-q", "-p", "no:cacheprovider")
    capsys.readouterr()
    lines = run.outlines
    passed = {line.rpartition("::")[2] for line in lines if line.startswith("PASSED")}
    bad = {line.split("::")[1].split()[0] for line in lines if line.startswith(("FAILED", "ERROR"))}
    assert passed == {"test_silent", "test_in_a_file"}
    assert bad == {"test_printed", "test_logged", "test_part", "test_failed", "test_in_a_file"}
    assert "A secret of this test run is in: Captured stdout call" in run.stdout.str()
    assert run.ret == 1

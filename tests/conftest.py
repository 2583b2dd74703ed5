"""What every test run does: no output of a test holds a secret."""

from tests.leaks import pytest_runtest_makereport as pytest_runtest_makereport

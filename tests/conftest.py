"""What every test run does: no output of a test holds a secret."""

import logging

from tests.leaks import pytest_runtest_makereport as pytest_runtest_makereport

# Servers write no log of requests; pytest would listen to it all the same.
logging.getLogger("uvicorn.access").disabled = True

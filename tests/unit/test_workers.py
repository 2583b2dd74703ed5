import os
from typing import cast

import pytest


@pytest.mark.xdist_group("alone")
def test_a_group_of_tests_stays_on_one_worker(request: pytest.FixtureRequest) -> None:
    """Without groups two workers install one environment at a time, and take it from each other."""
    if "PYTEST_XDIST_WORKER" not in os.environ:  # noqa: TID251  # no setting of the app
        pytest.skip("one process has no workers")
    assert cast("pytest.Item", request.node).nodeid.endswith("@alone")

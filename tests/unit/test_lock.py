"""One stack per folder."""

from pathlib import Path

import pytest

from local.lock import take
from shared.errors import Misconfigured


def test_a_second_stack_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    held = take(tmp_path / "lock")
    with pytest.raises(Misconfigured, match="runs already in"):
        take(tmp_path / "lock")
    held.close()
    take(tmp_path / "lock").close()

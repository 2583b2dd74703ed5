"""The example of docs/replay.md, as typed."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_documented_example_works_as_typed(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    script, printed = re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL)[:2]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    (tmp_path / "bin").symlink_to(ROOT / "bin")
    done = subprocess.run(  # noqa: S603 - the script is our own
        ["/bin/bash", "-euc", script],
        cwd=tmp_path,
        env={"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [entry["state"] for entry in found["timeline"]] == ["firing", "resolved"]
    taken = [(call["t"], call["action"]) for call in found["pagerduty"] if call["status"] == 202]
    assert taken == [(900, "trigger"), (2100, "resolve")]

import io
import json
import subprocess
from pathlib import Path

import pytest

from ops.__main__ import COMMANDS, main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.fakes import START, FakeClock

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_ops
printf '%s\\n' "${COMPREPLY[@]}"
"""


def printed(*argv: str) -> str:
    out = io.StringIO()
    assert main(["completion", *argv], Desk(Terminal(out, out), {}, FakeClock(START))) == 0
    return out.getvalue()


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "ops.bash"
    path.write_text(printed("bash"))
    return path


def completed(script: Path, *words: str) -> set[str]:
    """Return what bash offers when TAB is pressed at the end of these words."""
    done = subprocess.run(  # noqa: S603 - our own script
        ["/bin/bash", "--norc", "-c", ASK, "bash", str(script), "ops", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_bash_completes_commands_their_options_and_their_choices(script: Path) -> None:
    assert completed(script, "") >= set(COMMANDS)
    assert completed(script, "repr") == {"reprice"}
    assert completed(script, "silence", "add", "--co") == {"--comment"}
    assert completed(script, "silence", "") >= {"list", "add", "end"}
    assert completed(script, "top", "--js") == {"--json"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_their_own(shell: str) -> None:
    said = json.loads(printed(shell, "--json"))
    assert said["shell"] == shell
    assert all(name in said["script"] for name in COMMANDS)

"""`make run`: runs the stack until a signal ends it."""

import os
import signal
import sys
import time
from types import FrameType

COPY_S = 1.0
"""`make` passes on a signal that its child has got already: within this time, it is a copy."""


def _run() -> int:
    """Start the stack; until it is up, Ctrl-C ends the process at once and without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from local.run import main
    from shared.settings import operator_environment

    return main(operator_environment(), _wait_for_signal)


def _wait_for_signal() -> None:
    """Sleep until Ctrl-C or a polite kill; after that, another one ends the process at once.

    The handler takes no lock: a signal that arrives inside it runs it once more.
    """
    reading, writing = os.pipe()
    first_s = list[float]()

    def stop(number: int, frame: FrameType | None) -> None:
        first_s.append(time.monotonic())
        if first_s[-1] - first_s[0] > COPY_S:
            os._exit(128 + number)
        os.write(writing, b".")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    os.read(reading, 1)


if __name__ == "__main__":
    code = _run()
    sys.stdout.flush()
    os._exit(code)  # all is closed: a thread that is still at work must not keep the process

"""Keeps the one app of this process, made from the environment when it is first needed."""

import logging
import threading

from shared import logs
from shared.adapters.azure.quiet import quiet_sdk
from shared.clock import SystemClock
from shared.settings import read
from shared.wiring import App

logger = logging.getLogger(__name__)
_lock = threading.Lock()
_made: list[App] = []


def current() -> App:
    """Return this process's app, made from the environment at the first call.

    Raises:
        Misconfigured: names every setting that is wrong; the next call looks again.
    """
    with _lock:
        if not _made:
            quiet_sdk()
            settings = read()
            logs.set_up(settings.LOG_LEVEL)
            for problem in settings.problems():
                logger.error("%s", problem)
            _made.append(App(settings, SystemClock()))
        return _made[0]

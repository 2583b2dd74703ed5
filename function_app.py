"""What the Functions host loads; nothing is read from the environment until the first call."""

from functions import build
from shared.wiring import current

app = build(current)

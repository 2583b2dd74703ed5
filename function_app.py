"""What the Functions host loads; but for one switch, nothing is read before the first call."""

from functions import build
from functions.web.switch import carrier
from shared.process_app import current

app = build(current, carrier())

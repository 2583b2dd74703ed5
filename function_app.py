"""What the Functions host loads; but for two switches, nothing is read before the first call."""

from functions import build
from functions.process_hub import where_there_is_one
from functions.web.switch import carrier
from shared.process_app import current

app = build(current, carrier(), where_there_is_one())

"""Reports what AI agents do and use to agentmeter."""

from agentmeter_client.attribution import Attribution
from agentmeter_client.guard import Guard
from agentmeter_client.llm import LlmCall
from agentmeter_client.meter import Meter
from agentmeter_client.settings import Limits
from agentmeter_client.stats import Stats
from agentmeter_client.work import Work

__all__ = ["Attribution", "Guard", "Limits", "LlmCall", "Meter", "Stats", "Work"]

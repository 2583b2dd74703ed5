"""Stops what Azure's SDKs do unasked."""

import logging
import os

SDK_SWITCHES = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED",
)


def quiet_sdk() -> None:
    """Stop what Azure's SDKs do unasked; call it before the first of their clients is made.

    Usage statistics and remote control keep threads of their own, and know no other switch than
    the environment. The exporter logs whole events that were refused; azure-core, every request.
    """
    os.environ.update(dict.fromkeys(SDK_SWITCHES, "true"))
    for name in ("azure", "msal", "opentelemetry", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("azure.monitor.opentelemetry.exporter").setLevel(logging.CRITICAL)

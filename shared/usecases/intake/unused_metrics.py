"""Says what to export in place of metrics, which are sums without the calls that they are of."""

from collections.abc import Collection

_ADVICE = (
    (
        "claude_code.",
        "Claude Code's model calls are in its events: set CLAUDE_CODE_ENABLE_TELEMETRY=1 and "
        "OTEL_LOGS_EXPORTER=otlp.",
    ),
    ("codex.", "Codex's model calls are in its events: set `exporter` under [otel]."),
    (
        "gemini_cli.",
        "Gemini CLI's model calls are in its events, which it sends to /v1/logs with the metrics.",
    ),
    (
        "gen_ai.",
        "Model calls are in spans: set OTEL_TRACES_EXPORTER=otlp and leave the instrumentation's "
        "spans on.",
    ),
    (
        "semantic_kernel.",
        "Semantic Kernel's model calls are in spans: enable its diagnostics and add the source "
        "Microsoft.SemanticKernel* to the traces.",
    ),
)
"""How metrics begin → where the same program reports its calls one by one."""
_NOTHING = "No metrics are used here, only traces and logs."
_OFF = "Set OTEL_METRICS_EXPORTER=none to spare the requests. See docs/opentelemetry.md."


def advice(names: Collection[str]) -> str:
    """Return what to say to a sender of metrics of these names.

    Gemini CLI and others send the conventions' metrics beside their own: these decide.
    """
    found = (text for start, text in _ADVICE if any(name.startswith(start) for name in names))
    return " ".join(filter(None, [_NOTHING, next(found, ""), _OFF]))

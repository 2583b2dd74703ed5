"""Writes docs/bill.md: what three deployments cost a month, and the prices behind it."""

from collections.abc import Iterator

from ops.bill.month import Deployment, month, total
from ops.bill.rates import AS_OF, RATES

SHOWN = {
    "To try, idle": ("512 MB instances, nothing warm", Deployment()),
    "Production, 5 million calls": (
        "2 GB instances, three always ready, requests of 100 calls",
        Deployment(calls=5e6, instance_gb=2, warm=True),
    ),
    "Production, 5 million calls over OpenTelemetry, private network": (
        "the same, as spans: each is an event and a row of AppDependencies",
        Deployment(calls=5e6, instance_gb=2, warm=True, spans=True, private_network=True),
    ),
}


def bill_page(note: str) -> str:
    """Return the page."""
    return "\n".join(_parts(note))


def _parts(note: str) -> Iterator[str]:
    yield f"# What a month costs in Azure\n\n{note}\n"
    yield (
        f"List prices of East US, {AS_OF}; they differ by region and change. Compute your own: "
        "`bin/ops bill --calls 5e6 --warm`. What is free is free once: for all apps of a "
        "subscription, and all workspaces of a billing account. Always ready instances have no "
        "free part. Storage and Key Vault hold little: some cents.\n"
    )
    for title, (what, one) in SHOWN.items():
        lines = month(one)
        yield f"## {title}: ${total(lines):,.2f}\n\n{what[0].upper()}{what[1:]}.\n"
        yield "| what | how | USD |\n| --- | --- | --- |"
        yield from (f"| {line.what} | {line.how} | {line.usd:,.2f} |" for line in lines)
        yield ""
    yield "## Prices\n\n| USD | for | where | checked |\n| --- | --- | --- | --- |"
    for rate in RATES:
        checked = "yes" if rate.checked else "from memory of the list: look before you rely on it"
        yield f"| {rate.usd:f} | {rate.per:,.0f} {rate.unit} | {rate.source} | {checked} |"
    yield (
        "\nRows are as long as `python -m bench.bytes` finds them; what a million calls cost in "
        "logs depends on how many come in a minute, for metrics are a row for each series and "
        "minute. From 100 GB a day on, the sum has the commitment tier that costs least. What more "
        "traffic takes and costs: [scale.md](scale.md).\n\nNext: [deploy.md](deploy.md)."
    )
    yield ""

"""Compute what a deployment of agentmeter costs a month in Azure.

From list prices of East US and what agentmeter was measured to use; nothing is asked of Azure.
docs/bill.md shows the same for three deployments, with the prices and where they come from.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from ops.bill.month import Deployment, month, total
from ops.bill.rates import AS_OF
from ops.console.command import Desk

EXAMPLES = """\
  bin/ops bill --calls 5e6
  bin/ops bill --calls 5e6 --warm --instance-gb 2 --spans --private-network"""


def declare(parser: ArgumentParser) -> None:
    """Add what is deployed, and what is sent."""
    parser.add_argument("--calls", type=_number, default=0.0, help="model calls a month (0)")
    parser.add_argument("--batch", type=_number, default=100.0, help="of them a request (100)")
    parser.add_argument("--spans", action="store_true", help="they come as OpenTelemetry spans")
    parser.add_argument(
        "--instance-gb", type=float, choices=(0.5, 2.0, 4.0), default=2.0, help="memory (2)"
    )
    parser.add_argument("--warm", action="store_true", help="three instances are always ready")
    parser.add_argument("--evaluate-every", type=_number, default=15.0, help="in seconds (15)")
    parser.add_argument("--private-network", action="store_true", help="with three endpoints")


def _number(text: str) -> float:
    """Read a number above 0; 5e6 is one."""
    if (number := float(text)) <= 0:
        raise ArgumentTypeError(f"{text} is not above 0.")
    return number


def run(given: Namespace, desk: Desk) -> int:
    """Print the bill, line by line."""
    lines = month(
        Deployment(
            calls=given.calls,
            batch=given.batch,
            spans=given.spans,
            instance_gb=given.instance_gb,
            warm=given.warm,
            evaluate_every_s=given.evaluate_every,
            private_network=given.private_network,
        )
    )
    if given.json:
        rows = [{"what": line.what, "how": line.how, "usd": line.usd} for line in lines]
        desk.terminal.json({"as_of": AS_OF, "usd": total(lines), "lines": rows})
        return 0
    rows = [(line.what, line.how, f"{line.usd:,.2f}") for line in lines]
    desk.terminal.table(
        ("what", "how", "USD a month"), [*rows, ("together", "", f"{total(lines):,.2f}")]
    )
    desk.terminal.note(f"List prices of East US, {AS_OF}; docs/bill.md says which were checked.")
    return 0

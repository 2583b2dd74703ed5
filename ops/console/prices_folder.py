"""Finds the folder whose prices.toml the operator means."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from shared.settings import APP_FOLDER


def declare_folder(parser: ArgumentParser) -> None:
    """Add the option that names the folder; pass what it got to find_folder."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="DIR",
        help="folder of prices.toml; default: AGENTMETER_CONFIG, else the project's",
    )


def find_folder(given: Namespace, environment: Mapping[str, str]) -> Path:
    """Return the folder that was named, else that of the settings, else the project's."""
    named: Path | None = given.config
    return named or Path(environment.get("AGENTMETER_CONFIG") or APP_FOLDER / "config")

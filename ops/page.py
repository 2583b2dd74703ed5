"""Serve the page on this machine over a deployment: its API, and its workspace by `az login`.

The API is that of --url or AGENTMETER_URL, with the key of AGENTMETER_KEY (reader, or operator to
silence and judge); the workspace is asked as you, which takes the role Log Analytics Reader. The
browser gets neither key nor token. What only the laptop's stand-ins know says so.
"""

from argparse import ArgumentParser, Namespace

from local.page.app import Upstream, create_app
from local.server import serve
from ops.console.bearer import Bearer
from ops.console.command import Desk
from ops.console.identity import OPERATOR
from ops.console.stack import declare_api, find_api
from shared.adapters.azure.log_analytics import NEWER_ENDPOINT
from shared.clouds import PUBLIC, cloud_of
from shared.errors import Misconfigured
from shared.setting_forms import is_plain

EXAMPLES = """\
  AGENTMETER_KEY=… bin/ops page --url https://my-app.azurewebsites.net --workspace 1a2b…
  bin/ops page --port 8080        # AGENTMETER_URL, AGENTMETER_KEY and LOGS_WORKSPACE_ID are set"""
PORT = 7070
AN_HOUR_S = 3600


def declare(parser: ArgumentParser) -> None:
    """Add which deployment, and the port."""
    declare_api(parser)
    parser.add_argument("--workspace", metavar="ID", help="default: LOGS_WORKSPACE_ID")
    parser.add_argument(
        "--port", type=int, default=PORT, metavar="N", help=f"on 127.0.0.1; default: {PORT}"
    )


def run(given: Namespace, desk: Desk) -> int:
    """Serve until Ctrl-C."""
    upstream = _upstream(given, desk)
    try:
        server = serve(create_app(upstream), given.port)
    except OSError as exc:
        raise Misconfigured(f"{exc} Or choose another with --port.") from None
    desk.terminal.note(f"page: {server.url}/ shows {upstream.app_url}; Ctrl-C ends it")
    try:
        while True:
            desk.pause(AN_HOUR_S)
    finally:
        server.stop()


def _upstream(given: Namespace, desk: Desk) -> Upstream:
    """Return where the page's questions go.

    Raises:
        Misconfigured: no API or workspace is named, or one of another machine by plain http.
    """
    environment = desk.environment
    if not (given.url or environment.get("AGENTMETER_URL")):
        raise Misconfigured(
            "Name the deployment's API with --url or AGENTMETER_URL. The laptop's own page is "
            "served by `make run`."
        )
    api = find_api(given.url, given.key, environment)
    workspace = given.workspace or environment.get("LOGS_WORKSPACE_ID")
    if not workspace:
        raise Misconfigured("Name the Log Analytics workspace: --workspace or LOGS_WORKSPACE_ID.")
    endpoint = environment.get("LOGS_ENDPOINT") or cloud_of(environment).logs
    for url in (api.url, endpoint):
        if is_plain(url):
            raise Misconfigured(f"{url} is plain http to another machine. Use https.")
    is_azure = endpoint.startswith("https://")
    audience = PUBLIC.logs if endpoint == NEWER_ENDPOINT else endpoint
    return Upstream(
        app_url=api.url,
        key=api.key.get_secret_value(),
        query_url=f"{endpoint}/v1/workspaces/{workspace}/query",
        sign_query=Bearer(OPERATOR, audience, desk.clock).headers if is_azure else dict[str, str],
    )

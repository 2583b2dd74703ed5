"""Write the rules of a config folder as Azure's own log search alerts, in Bicep.

For those who want Azure to evaluate and notify. What does not carry over is said in the file,
beside each rule, and on the terminal.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from ops.console.command import Desk
from ops.export_rules.native_rule import EVERY, SEVERITIES, Native, native
from replay.columns import empty_tables
from shared.adapters.config.config_folder import read_rules
from shared.alerting.rule import Rule
from shared.settings import APP_FOLDER

EXAMPLES = """\
  bin/ops export-rules --out rules.bicep
  az deployment group create --resource-group GROUP --template-file rules.bicep \\
      --parameters workspaceName=WORKSPACE actionGroupId=ID"""
OPERATORS = {
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqual",
    "<": "LessThan",
    "<=": "LessThanOrEqual",
}
HEAD = """\
metadata description = 'Rules of agentmeter as log search alerts. Written by ops export-rules.'

@description('Required. Workspace that is asked; it has the saved function UsageEvents.')
param workspaceName string

@description('Required. Resource id of the action group that is notified.')
param actionGroupId string

@description('Optional. The region.')
param location string = resourceGroup().location

@description('Optional. Tags.')
param tags object = {}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}
"""
RESOURCE = """\
// {key} does not carry over: {lost}.
resource {name}_{severity} 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {{
  name: 'agentmeter-{name}-{severity}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {{
    displayName: '{name} ({severity})'
    description: {about}
    severity: {level}
    enabled: true
    scopes: [
      workspace.id
    ]
    evaluationFrequency: '{every}'
    windowSize: '{window}'
    autoMitigate: true
    criteria: {{
      allOf: [
        {{
          query: {query}
          metricMeasureColumn: 'value'
          timeAggregation: '{aggregation}'
          operator: '{operator}'
          threshold: {threshold}
          dimensions: [{labels}
          ]
          failingPeriods: {{
            numberOfEvaluationPeriods: {periods}
            minFailingPeriodsToAlert: {periods}
          }}
        }}
      ]
    }}
    actions: {{
      actionGroups: [
        actionGroupId
      ]
    }}
  }}
}}
"""


def declare(parser: ArgumentParser) -> None:
    """Add where rules come from and where they go."""
    parser.add_argument("--config", type=Path, metavar="DIR", help="default: config/")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: the terminal")


def run(given: Namespace, desk: Desk) -> int:
    """Write the file, and say what it leaves out."""
    rules = read_rules(given.config or APP_FOLDER / "config")
    with empty_tables(desk.clock) as columns:
        made = [(rule, native(rule, columns, desk.clock.now())) for rule in rules]
    alerts = [alert for _, alert in made if isinstance(alert, Native)]
    if given.out:
        given.out.write_text(bicep(alerts), encoding="utf-8")
    elif not given.json:
        desk.terminal.say(bicep(alerts))
    if given.json:
        desk.terminal.json([_shown(rule, alert) for rule, alert in made])
    for rule, alert in made:
        lost = alert if isinstance(alert, str) else "; ".join(alert.lost)
        verb = "is left out" if isinstance(alert, str) else "loses"
        desk.terminal.note(f"{rule.key} {verb}: {lost}.")
    return 0


def _shown(rule: Rule, alert: Native | str) -> dict[str, object]:
    """Return a rule and what became of it, for machines."""
    if isinstance(alert, str):
        return {"rule": rule.key, "left_out": alert}
    return {"rule": rule.key, "query": alert.query, "lost": list(alert.lost)}


def bicep(alerts: Sequence[Native]) -> str:
    """Return a Bicep file that deploys the alerts."""
    return "\n".join([HEAD, *map(_resource, alerts)])


def _resource(alert: Native) -> str:
    """Return one alert."""
    rule = alert.rule
    about = f"{rule.name} {alert.condition}. See {rule.runbook}."
    return RESOURCE.format(
        key=rule.key,
        lost="; ".join(alert.lost),
        name=rule.name,
        severity=rule.severity,
        about=_text(about),
        level=SEVERITIES[rule.severity],
        every=_iso(EVERY),
        window=_iso(alert.window),
        query=_text(alert.query),
        aggregation=alert.aggregation,
        operator=OPERATORS[alert.condition.operator],
        threshold=alert.threshold,
        labels="".join(map(_dimension, alert.labels)),
        periods=alert.periods,
    )


def _dimension(label: str) -> str:
    return f"\n            {{ name: '{label}', operator: 'Include', values: [ '*' ] }}"


def _text(text: str) -> str:
    """Write a text on one line, as Bicep quotes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return "'" + escaped.replace("\n", "\\n") + "'"


def _iso(span: timedelta) -> str:
    """Write a span in whole minutes, hours or days."""
    minutes = span // timedelta(minutes=1)
    if minutes % 1440 == 0:
        return f"P{minutes // 1440}D"
    return f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"

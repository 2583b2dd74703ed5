"""What a reader chooses at the top of a page: names of a column, all of them unless some."""

from collections.abc import Mapping
from dataclasses import dataclass


def key(*columns: str) -> str:
    """Return the KQL of what stands for a row where it is chosen, never empty.

    Names come with events, from anybody: as Base64, none can end the string that it is put into.
    """
    parts = ", ".join(f'"\\n", {column}' for column in columns)
    return f"base64_encode_tostring(strcat({parts}))"


@dataclass(frozen=True, slots=True)
class Choice:
    """A list to choose from. column: of the table, whose names are in it.

    chosen: what a query calls the list of the keys that were chosen; "*" is all.
    """

    table: str
    column: str
    chosen: str

    @property
    def condition(self) -> str:
        """Return the KQL of whether a row is of what was chosen."""
        given = self.chosen
        return (
            f'(array_length({given}) == 0 or "*" in ({given}) or {key(self.column)} in ({given}))'
        )

    def options(self, label: str) -> str:
        """Return the query whose rows can be chosen from: value, a key, and its name as `label`."""
        shown = f'iff(isempty({self.column}), "(none)", {self.column})'
        return f"""
{self.table}
| where TimeGenerated >= {{start}} and TimeGenerated < {{end}}
| distinct {self.column}
| order by {self.column} asc
| take 1000
| project value = {key(self.column)}, {label} = {shown}"""


CHOICES: Mapping[str, Choice] = {
    "Team": Choice("UsageEvents", "TeamId", "Teams"),
    "Environment": Choice("UsageEvents", "Environment", "Environments"),
    "Severity": Choice("AlertHistory", "Severity", "Severities"),
    "Rule": Choice("AlertHistory", "Alert", "Rules"),
}
"""By the name of the parameter; in queries, its condition is the name in braces, in lower case."""

"""What a person might send; tests send it and see it taken."""

from collections.abc import Mapping
from typing import Any

CALL: Mapping[str, Any] = {
    "specversion": "1.0",
    "id": "7f3c",
    "source": "checkout-agent",
    "type": "llm.call",
    "time": "2026-01-31T12:00:00Z",
    "data": {
        "provider": "openai",
        "model": "gpt-4o",
        "status": "success",
        "duration_s": 1.2,
        "usage": {"input_tokens": 1200, "output_tokens": 80},
        "team_id": "checkout",
    },
}
MISSION: Mapping[str, Any] = {
    "specversion": "1.0",
    "id": "7f3d",
    "source": "checkout-agent",
    "type": "mission.completed",
    "data": {"outcome": "success", "duration_s": 740, "team_size": 4},
}
SILENCE: Mapping[str, Any] = {
    "matchers": ['alertname="HighErrorRate"', "severity!=critical"],
    "ends_at": "2100-01-31T12:00:00Z",
    "author": "sam",
    "comment": "we move the database",
}
SPANS: Mapping[str, Any] = {
    "resourceSpans": [
        {
            "resource": {
                "attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]
            },
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "5b8efff798038103d269b633813fc60c",
                            "spanId": "eee19b7ec3c1b174",
                            "name": "chat gpt-4o",
                            "kind": 3,
                            "startTimeUnixNano": "1769860800000000000",
                            "endTimeUnixNano": "1769860801200000000",
                            "attributes": [
                                {
                                    "key": "gen_ai.operation.name",
                                    "value": {"stringValue": "chat"},
                                },
                                {
                                    "key": "gen_ai.request.model",
                                    "value": {"stringValue": "gpt-4o"},
                                },
                            ],
                        }
                    ]
                }
            ],
        }
    ]
}
LOGS: Mapping[str, Any] = {
    "resourceLogs": [
        {
            "resource": {
                "attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]
            },
            "scopeLogs": [
                {
                    "scope": {"name": "com.anthropic.claude_code.events"},
                    "logRecords": [
                        {
                            "timeUnixNano": "1769860801200000000",
                            "body": {"stringValue": "claude_code.api_request"},
                            "attributes": [
                                {"key": "event.name", "value": {"stringValue": "api_request"}},
                                {"key": "model", "value": {"stringValue": "claude-sonnet-4-5"}},
                                {"key": "input_tokens", "value": {"intValue": "1200"}},
                                {"key": "output_tokens", "value": {"intValue": "80"}},
                            ],
                        }
                    ],
                }
            ],
        }
    ]
}

// What to type where nothing has been sent yet; the view looks again by itself.
import { h } from "./dom.js";
import { code, panel } from "./parts.js";

const keyOf = (file) => `KEY=$(python3 -c 'import json; print(json.load(open("${file}"))["function_key"])')`;

const curl = (
  url,
) => `curl -i ${url}/api/events -H "x-functions-key: $KEY" -H 'content-type: application/json' -d '{
  "specversion": "1.0", "id": "call-1", "source": "my-agent", "type": "llm.call",
  "data": {"provider": "openai", "model": "gpt-4o", "status": "success", "duration_s": 1.2, "team_id": "search",
           "usage": {"input_tokens": 1200, "output_tokens": 80}}}'`;

const otel = (
  url,
) => `export OTEL_EXPORTER_OTLP_ENDPOINT=${url} OTEL_EXPORTER_OTLP_HEADERS="x-functions-key=$KEY"
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_METRICS_EXPORTER=none`;

/** The three ways to a first event, in place of charts without a point. */
export function firstEvent({ app_url, described }) {
  const known = { value: true };
  return [
    h("p", { class: "waiting", role: "status" }, "No event yet. This page waits for the first one."),
    h(
      "div",
      { class: "panels" },
      panel("The key", known, () => code(keyOf(described), "The key")),
      panel("An event by curl", known, () => code(curl(app_url), "An event by curl")),
      panel("OpenTelemetry, of any agent", known, () => code(otel(app_url), "OpenTelemetry")),
    ),
  ];
}

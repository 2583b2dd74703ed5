// Exports model calls as agents in JavaScript do: every exporter streams its body, which then comes in chunks.
// node export.mjs URL KEY CALLS
import { OTLPTraceExporter as Json } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as Proto } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { generateText } from "ai";
import { MockLanguageModelV2 } from "ai/test";

const [url, key, calls] = process.argv.slice(2);

function tracerOf(Exporter, compression, service) {
  const exporter = new Exporter({ url: `${url}/v1/traces`, headers: { "x-functions-key": key }, compression });
  const results = [];
  const send = exporter.export.bind(exporter);
  exporter.export = (spans, done) => send(spans, (result) => (results.push(result.code), done(result)));
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": service }),
    spanProcessors: [new BatchSpanProcessor(exporter, { maxExportBatchSize: 100, maxQueueSize: 10000 })],
  });
  return { tracer: provider.getTracer("agent"), results, end: () => provider.shutdown() };
}

function call(tracer) {
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 10,
  };
  tracer.startSpan("chat gpt-4o", { kind: 2, attributes }).end();
}

async function ask(tracer) {
  const model = new MockLanguageModelV2({
    provider: "openai.responses",
    modelId: "gpt-4o",
    doGenerate: async () => ({
      finishReason: "stop",
      usage: { inputTokens: 1000, outputTokens: 10, totalTokens: 1010 },
      content: [{ type: "text", text: "Hello." }],
      warnings: [],
    }),
  });
  await generateText({ model, prompt: "Say hello.", experimental_telemetry: { isEnabled: true, tracer } });
}

const failed = [];
for (const [name, Exporter] of [["json", Json], ["proto", Proto]]) {
  for (const compression of ["none", "gzip"]) {
    const { tracer, results, end } = tracerOf(Exporter, compression, `${name}-${compression}`);
    for (let n = 0; n < Number(calls); n++) call(tracer);
    await end();
    failed.push(...results.filter((code) => code !== 0));
  }
}
const { tracer, results, end } = tracerOf(Proto, "gzip", "ai-sdk");
for (let n = 0; n < 3; n++) await ask(tracer);
await end();
failed.push(...results.filter((code) => code !== 0));
console.log(JSON.stringify({ failed: failed.length }));

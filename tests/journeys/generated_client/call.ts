// Uses the generated client as a user of the API would: node call.js URL KEY
import { client } from "./client/client.gen";
import { deleteSilence, getBudgets, getCosts, getHealth, getSilences, postEvents, postSilences } from "./client/sdk.gen";
import type { LlmCallEvent } from "./client/types.gen";

declare const process: { argv: string[] };
const [baseUrl = "", key = ""] = process.argv.slice(2);
client.setConfig({ baseUrl, auth: key });

const event: LlmCallEvent = {
  id: "generated-1",
  source: "generated-client",
  type: "llm.call",
  data: { provider: "openai", model: "gpt-4o", status: "success", usage: { input_tokens: 1000, output_tokens: 10 } },
};

function said(error: unknown): unknown {
  return typeof error === "object" && error !== null && "error" in error ? error.error : undefined;
}

async function main(): Promise<object> {
  const sent = await postEvents({ body: [event] });
  const refused = await postEvents({ body: [{ ...event, id: "" }] });
  const silence = { matchers: ["alertname=HighErrorRate"], ends_at: "2100-01-01T00:00:00Z", author: "sam", comment: "" };
  const made = await postSilences({ body: silence });
  const listed = await getSilences();
  const ended = await deleteSilence({ path: { id: made.data?.id ?? "" } });
  const costs = await getCosts({ query: { by: "model" } });
  const budgets = await getBudgets();
  const health = await getHealth();
  client.setConfig({ baseUrl, auth: "wrong" });
  const closed = await getBudgets();
  return {
    accepted: sent.data?.accepted,
    refused: said(refused.error),
    silences: listed.data?.silences.map((one) => one.author),
    ended: ended.data?.state,
    by: costs.data?.by,
    budgets: budgets.data?.budgets.length,
    health: health.data?.status,
    closed: closed.response?.status,
  };
}

void main().then((found) => console.log(JSON.stringify(found)));

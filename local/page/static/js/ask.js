// Asks the server, which asks the HTTP API and the query API that users have.

/** A question without an answer; its message ends with what to do. */
export class Unanswered extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Tell whether it is no fault, but what only the laptop's stand-ins know. */
export const isAbsent = (error) => error?.status === 501;

/**
 * Return the JSON that `path` answers; `body` is sent as JSON.
 * @param {string} path
 * @param {{method?: string, body?: unknown, signal?: AbortSignal}} options
 * @returns {Promise<any>}
 */
export async function ask(path, { method, body, signal } = {}) {
  /** @type {RequestInit} */
  const options = { method: method ?? (body === undefined ? "GET" : "POST"), signal };
  if (body !== undefined)
    Object.assign(options, { body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unanswered("The page's server does not answer. Start it with `make run`.", 0);
  }
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  throw new Unanswered(refusal(text) ?? `${path} answers ${answer.status}.`, answer.status);
}

function refusal(text) {
  try {
    const { error } = JSON.parse(text);
    return typeof error === "string" ? error : (error.innererror?.message ?? error.message);
  } catch {
    return text.slice(0, 300) || null;
  }
}

/** Return the table that a query answers: {columns: [{name, type}], rows, partial}. timespan: ISO 8601, or null for all. */
export async function table(query, timespan, signal) {
  const answer = await ask("/query", { body: { query, timespan }, signal });
  return { ...answer.tables[0], partial: answer.error !== undefined };
}

/** Return the rows of a query as objects. */
export async function rows(query, timespan, signal) {
  const { columns, rows: found } = await table(query, timespan, signal);
  return found.map((row) => Object.fromEntries(columns.map(({ name }, place) => [name, row[place]])));
}

/** What a view asks for: each part is shown as soon as it is there, and one that fails does not take the others along. */
export class Parts {
  constructor(promises) {
    this.promises = promises;
  }
}

export const parts = (promises) => new Parts(promises);

/** Return the words of the API as its own document has them: {metrics of each kind of event, dimensions of costs}. */
export async function vocabulary(signal) {
  const { components, paths } = await ask("/api/openapi.json", { signal });
  const by = paths["/api/costs"].get.parameters.find(({ name }) => name === "by");
  const { discriminator, "x-own-kinds": own } = components.schemas.AnEvent;
  const kinds = Object.entries(discriminator.mapping);
  const schemaAt = (place) => components.schemas[place.split("/").at(-1)];
  return {
    metrics: Object.fromEntries(kinds.map(([kind, place]) => [kind, schemaAt(place)["x-metrics"]])),
    rows: [...Object.keys(discriminator.mapping), ...own],
    dimensions: by.schema.enum,
  };
}

/** Write text as a KQL string. */
export const literal = (text) =>
  `"${String(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t")}"`;

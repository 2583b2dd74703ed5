// Reads and writes the address: #/view/rest?name=value.

/** Return {name, rest, path, params: URLSearchParams}. */
export function current() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [name, ...rest] = path.split("/").map(decoded);
  return { name, rest, path, params: new URLSearchParams(query) };
}

/** What a person typed need not be well formed. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Return the address of a view; parameters without a value are left out. */
export function href(path, params = {}) {
  const given = Object.entries(params).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  const query = new URLSearchParams(given).toString();
  return `#${path}${query ? `?${query}` : ""}`;
}

/** Go there. */
export function go(path, params = {}) {
  location.hash = href(path, params);
}

// The console's own JSON, under /ops/api.

const LIMIT_MS = 15_000;

/** What a path answers. Throws an Error that says to a person what is wrong. */
export const get = async (path, parameters = {}) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== undefined);
  const query = new URLSearchParams(given).toString();
  let response;
  try {
    response = await fetch(`api/${path}${query ? `?${query}` : ""}`, { signal: AbortSignal.timeout(LIMIT_MS) });
  } catch {
    throw new Error("The console does not answer. Does the stack still run?");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error ?? `The console answered ${response.status}.`);
  return body;
};

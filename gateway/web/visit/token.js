// The caller's access token: handed over in the address's fragment, which no server sees, and kept in this tab alone.

const KEY = "visit-token";

/** Takes the token out of `#token=…`, where it stays for no longer than this call, or out of this tab's memory. */
export function takeToken() {
  const handed = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  if (handed) sessionStorage.setItem(KEY, handed);
  return sessionStorage.getItem(KEY) ?? "";
}

/** Keeps a token that was typed in. */
export function keepToken(token) {
  sessionStorage.setItem(KEY, token);
}

/** Forgets it. */
export function dropToken() {
  sessionStorage.removeItem(KEY);
}

/** The part of this visit that the token is for: "patient", "doctor", or "" for anything else. The service decides. */
export function roleOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const { role } = JSON.parse(atob(payload));
    return role === "patient" || role === "doctor" ? role : "";
  } catch {
    return "";
  }
}

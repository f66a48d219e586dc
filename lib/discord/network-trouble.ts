/** Why there was no answer, in a few words for people: never a URL, which may hold a token. */
export function networkTrouble(error: unknown): string {
  const words = [...chain(error)].join(" ");
  const known = KNOWN.find(([pattern]) => pattern.test(words));
  if (known !== undefined) return known[1];
  const status = words.match(/(?:HTTP|server response:) (\d{3})\b/)?.[1];
  return status === undefined ? "the connection failed" : `the answer was HTTP ${status}`;
}

const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/TimeoutError|ETIMEDOUT|timed? ?out/i, "no answer in time"],
  [/ENOTFOUND|EAI_AGAIN|dns error|getaddrinfo|lookup/i, "its name is not known here"],
  [/\b407\b/, "the proxy wants a user and password"],
  [/ECONNREFUSED|connection refused|Unable to connect/i, "connection refused"],
  [/certificate|SELF_SIGNED|UNKNOWN_ISSUER|CERT_/i, "its certificate is not trusted here"],
  [/ENETUNREACH|EHOSTUNREACH|unreachable/i, "no way to it from here"],
  [
    /ECONNRESET|socket hang up|reset|closed|EPIPE|end of file/i,
    "the connection was cut",
  ],
];

/** Code, name and message of an error and of what caused it. */
function* chain(error: unknown): Generator<string> {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ("code" in at) yield String(at.code);
    yield `${at.name} ${at.message}`;
  }
}

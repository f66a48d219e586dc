import { DiscordError, type DiscordErrorKind } from "./discord-error.ts";
import { numberOf, type Raw, rawOf, textOf } from "./raw-json.ts";

/** What was asked, as far as a failure tells of it. */
export interface Asked {
  /** Goes on after "Cannot": `send to channel "123"`. */
  action: string;
  method: string;
  /** Without tokens. */
  route: string;
}

/** What came back. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** Discord's no as an error. `via`: " through the proxy …", or "". */
export function readFailure(asked: Asked, answer: Answer, via: string): DiscordError {
  const { status } = answer;
  const said = saidBy(answer);
  const facts = { status, method: asked.method, route: asked.route };
  if (said === undefined || status >= 500) {
    // A proxy's or a captive portal's 403 or 404 says nothing of what Discord has.
    const who = status === 407
      ? "the proxy wants a user and password"
      : status >= 500
      ? "Discord has a fault"
      : "the answer is not Discord's";
    return failure(asked, `${who} (HTTP ${status})${via}`, { ...facts, kind: "unreachable" });
  }
  const code = said.code === 0 ? "" : ` (${said.code})`;
  return failure(asked, `${said.message}${code}${said.detail}`, {
    ...facts,
    kind: kindOf(status),
    code: said.code,
  });
}

export function failure(
  { action, method, route }: Asked,
  why: string,
  facts: ConstructorParameters<typeof DiscordError>[1],
): DiscordError {
  return new DiscordError(`Cannot ${action}: ${why}`, { method, route, ...facts });
}

/** Number, sentence and first detail of Discord's JSON; undefined when it is somebody else's answer. */
export function saidBy(
  { text }: { text: string },
): { code: number; message: string; detail: string } | undefined {
  const raw = rawOf(parsed(text));
  const code = numberOf(raw["code"]);
  const message = textOf(raw["message"])?.replace(/^\d{3}: /, "");
  if (code === undefined || message === undefined) return undefined;
  const first = firstDetail(rawOf(raw["errors"]), []);
  return { code, message, detail: first === undefined ? "" : `, ${first}` };
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** "embeds.0.title: Must be 256 or fewer in length" of Discord's nested error list. */
function firstDetail(errors: Raw, path: readonly string[]): string | undefined {
  for (const [name, value] of Object.entries(errors)) {
    if (name === "_errors" && Array.isArray(value)) {
      const message = textOf(rawOf(value[0])["message"])?.replace(/\.$/, "");
      return message === undefined ? undefined : `${path.join(".") || "request"}: ${message}`;
    }
    const deeper = path.length < 8 ? firstDetail(rawOf(value), [...path, name]) : undefined;
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

function kindOf(status: number): DiscordErrorKind {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "missing";
  return status === 429 ? "limited" : "rejected";
}

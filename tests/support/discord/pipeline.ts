import { Refusal } from "./world.ts";

export interface Call {
  method: string;
  /** Without `/api/v10` and query. */
  path: string;
  query: URLSearchParams;
  token: string | undefined;
  body: unknown;
  /** `field`: `files[0]`, as an entry of `attachments` names it. */
  files: { name: string; bytes: Uint8Array; field: string }[];
  /** A read that gives what was there at that time of the server's clock. */
  asOf?: number;
}

/** What is no JSON: an attachment. */
export class Raw {
  constructor(readonly bytes: Uint8Array) {}
}

/** What befalls a call; asked before it acts and after. */
export type Fault =
  | { kind: "status"; status: number; when: "before" | "after"; code?: number }
  /** `middle`: after half of the answer. */
  | { kind: "drop"; when: "before" | "after" | "middle" }
  | { kind: "limit"; seconds: number; scope: "user" | "shared" | "global" }
  | { kind: "hold"; until: Promise<void> }
  /** A read gives what was there so long ago. */
  | { kind: "stale"; ms: number }
  /** A success with something else in it, as of a login page. */
  | { kind: "nonsense"; body: string };

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
  /** The connection ends: without an answer, or in the middle of it. */
  cut?: "whole" | "half";
}

export interface PipelineParts {
  answer(call: Call): unknown;
  fault(call: Call): Fault | undefined;
  /** Seconds until a call of this route is allowed; 0: now. */
  limit(call: Call): { wait: number; headers: Record<string, string> };
  /** Discord's clock. */
  now(): number;
}

/** What becomes of a call: faults before, rate limits, the answer, faults after. */
export async function reply(call: Call, parts: PipelineParts): Promise<Reply> {
  const fault = parts.fault(call);
  if (fault?.kind === "hold") await fault.until;
  if (fault?.kind === "nonsense") return { status: 200, headers: {}, body: fault.body };
  if (fault?.kind === "limit") return limited(fault.seconds, fault.scope);
  const broken = fault?.kind === "status" || fault?.kind === "drop" ? fault : undefined;
  if (broken?.when === "before") return broke(broken);
  const { wait, headers } = parts.limit(call);
  if (wait > 0) return limited(wait, "user", headers);
  const stale = fault?.kind === "stale" ? { asOf: parts.now() - fault.ms } : {};
  const [status, body] = answerOf({ ...call, ...stale }, parts);
  if (body instanceof Raw) {
    return { status, headers: { "content-type": "application/octet-stream" }, body: body.bytes };
  }
  const whole = jsonReply(status, body, headers);
  if (broken?.when === "middle") return { ...whole, cut: "half" };
  if (broken !== undefined && status < 400) return broke(broken);
  return whole;
}

function answerOf(call: Call, parts: PipelineParts): [number, unknown] {
  try {
    const body = parts.answer(call);
    return body === undefined ? [204, undefined] : [200, body];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.status, { code: error.code, message: error.message }];
  }
}

function broke(fault: Extract<Fault, { kind: "status" | "drop" }>): Reply {
  if (fault.kind === "drop") return { status: 0, headers: {}, body: "", cut: "whole" };
  const { status, code = 0 } = fault;
  return jsonReply(status, { code, message: `${status}: made by the test` });
}

function limited(seconds: number, scope: string, headers: Record<string, string> = {}): Reply {
  const body = {
    message: "You are being rate limited.",
    retry_after: seconds,
    global: scope === "global",
  };
  return jsonReply(429, body, {
    ...headers,
    "retry-after": `${Math.ceil(seconds)}`,
    "x-ratelimit-scope": scope,
    ...(scope === "global" ? { "x-ratelimit-global": "true" } : {}),
  });
}

function jsonReply(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: body === undefined ? "" : JSON.stringify(body),
  };
}

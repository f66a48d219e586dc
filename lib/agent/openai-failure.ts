import type { ModelFailure } from "./agent.ts";
import { failure, retryAfter, saysTooLong } from "./model-failure.ts";
import type { SaidError } from "./openai-chunk.ts";
import { cleanLine } from "./quote-data.ts";

/** What went wrong, by an answer's status or by an error in the middle of a stream. */
export function openAiFailure(
  error: SaidError,
  at: {
    /** Undefined in the middle of a stream. */
    status: number | undefined;
    headers: Headers | undefined;
    url: string;
    now: number;
    clean: (text: string) => string;
  },
): ModelFailure {
  const code = Number(error.code);
  const status = at.status ?? (code >= 400 && code < 600 ? code : undefined);
  const said = at.clean(cleanLine(error.message ?? "", 300)).replace(/\.$/, "");
  const kind = kindOf(status, error);
  const coded = status === undefined ? "" : ` (status ${status})`;
  const quoted = said === "" ? "" : `: ${JSON.stringify(said)}`;
  const wait = retryAfter(at.headers, at.now);
  return failure(kind, `${wordsOf(kind, at.url)}${coded}${quoted}`, {
    ...(status === undefined ? {} : { status }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    isTooLong: kind === "rejected" &&
      saysTooLong(status, `${error.code} ${error.type} ${error.message}`),
  });
}

function kindOf(status: number | undefined, { code, type }: SaidError): ModelFailure["kind"] {
  const words = [code, type];
  const any = (...names: string[]) => names.some((name) => words.includes(name));
  // OpenAI says 429 also to an account without funds, which waiting does not mend.
  if (any("insufficient_quota", "billing_hard_limit_reached")) return "auth";
  if (any("invalid_api_key", "authentication_error", "permission_error")) return "auth";
  if (status === 401 || status === 402 || status === 403) return "auth";
  if (status === 429 || any("rate_limit_exceeded", "rate_limit_error")) return "rate-limited";
  if (status === 408 || status === 504 || any("timeout")) return "timeout";
  if (status !== undefined && status >= 400 && status < 500) return "rejected";
  return any("invalid_request_error", "context_length_exceeded") ? "rejected" : "overloaded";
}

function wordsOf(kind: ModelFailure["kind"], url: string): string {
  switch (kind) {
    case "overloaded":
      return "The model's server is overloaded or failing";
    case "rate-limited":
      return "The model's server limits how much is asked of it";
    case "auth":
      return "The model's server does not accept the credentials, or its account has no funds";
    case "timeout":
      return "The model's server took too long";
    case "rejected":
      return `The model's server at ${url} refuses the request`;
    case "unreachable":
    case "unreadable":
      return "Cannot read the answer of the model's server";
  }
}

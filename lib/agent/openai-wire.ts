import { failure, ModelError } from "./model-failure.ts";
import { type Chunk, chunkSchema, errorIn, type SaidError } from "./openai-chunk.ts";
import { openAiFailure } from "./openai-failure.ts";

export interface OpenAiWireParts {
  /** Up to and without `/chat/completions`. */
  url: string;
  /** The same for people, without what may be secret. */
  shown: string;
  headers: Headers;
  fetch: typeof fetch;
  now(): number;
  /** Takes secrets out of a text. */
  clean(text: string): string;
  /** Whenever bytes arrive, keep-alives too. */
  onBytes(): void;
}

/** The server refuses one parameter by its name; the call may work without it. */
export class RefusedParameterError extends ModelError {
  readonly parameter: string;
  constructor(parameter: string, problem: ModelError["failure"]) {
    super(problem);
    this.name = "RefusedParameterError";
    this.parameter = parameter;
  }
}

/** One line of a stream, and the whole of an answer that is none. Characters. */
const LONGEST = 16 * 1024 * 1024;

/** Asks once and hands on each chunk as it comes, until the server says that it is done. */
export async function postChat(
  parts: OpenAiWireParts,
  { body, signal, onChunk }: {
    body: unknown;
    signal: AbortSignal;
    onChunk(chunk: Chunk): void;
  },
): Promise<void> {
  const response = await parts.fetch(`${parts.url.replace(/\/+$/, "")}/chat/completions`, {
    method: "POST",
    headers: parts.headers,
    body: JSON.stringify(body),
    signal,
    // A redirect to another host would carry the key along.
    redirect: "manual",
  });
  parts.onBytes();
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    throw new ModelError(failure("rejected", redirected(status), { status }));
  }
  if (!response.ok) throw await refusal(response, parts);
  const type = response.headers.get("content-type")?.split(";")[0]?.trim() ?? "nothing";
  if (type === "application/json") {
    return takeChunk(await wholeText(response, parts), parts, onChunk);
  }
  if (type !== "text/event-stream") {
    await response.body?.cancel();
    const message = `Cannot read the model's answer: it is ${JSON.stringify(type)} ` +
      "instead of a stream of events, maybe a proxy or a login page answered";
    throw new ModelError(failure("unreadable", message, { status }));
  }
  for await (const data of eventsOf(response, parts)) {
    if (signal.aborted || data === "[DONE]") return;
    takeChunk(data, parts, onChunk);
  }
}

function redirected(status: number): string {
  return `Cannot ask the model: its address redirects elsewhere (status ${status}), ` +
    "set the backend's base URL to the final address";
}

async function refusal(response: Response, parts: OpenAiWireParts): Promise<ModelError> {
  const { status, headers } = response;
  const said: SaidError = errorIn(await wholeText(response, parts).catch(() => "")) ?? {};
  const problem = openAiFailure(said, {
    status,
    headers,
    url: parts.shown,
    now: parts.now(),
    clean: parts.clean,
  });
  const { param } = said;
  return (status === 400 || status === 422) && param
    ? new RefusedParameterError(param, problem)
    : new ModelError(problem);
}

function takeChunk(data: string, parts: OpenAiWireParts, onChunk: (chunk: Chunk) => void): void {
  const parsed = chunkSchema.safeParse(JSON.parse(data));
  if (!parsed.success) {
    const message = "Cannot read the model's answer: an event has not the expected shape";
    throw new ModelError(failure("unreadable", message), { cause: parsed.error });
  }
  const { error } = parsed.data;
  // OpenRouter sends the usage of a failed call along with its error.
  onChunk(parsed.data);
  if (!error) return;
  const at = { status: undefined, headers: undefined, url: parts.shown, now: parts.now() };
  throw new ModelError(openAiFailure(error, { ...at, clean: parts.clean }));
}

/** The data of each server-sent event; comments keep the connection alive and say nothing. */
async function* eventsOf(response: Response, parts: OpenAiWireParts): AsyncGenerator<string> {
  let data: string[] = [];
  let held = 0;
  for await (const line of linesOf(response, parts)) {
    if (line === "") {
      if (data.length > 0) yield data.join("\n");
      [data, held] = [[], 0];
    } else if (line.startsWith("data:")) {
      held += line.length;
      if (held > LONGEST) throw tooLong();
      data.push(line.slice(line[5] === " " ? 6 : 5));
    }
  }
  if (data.length > 0) yield data.join("\n");
}

async function* linesOf(response: Response, parts: OpenAiWireParts): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    parts.onBytes();
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST) throw tooLong();
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest.replace(/\r$/, "");
}

async function wholeText(response: Response, parts: OpenAiWireParts): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    parts.onBytes();
    text += decoder.decode(bytes, { stream: true });
    if (text.length > LONGEST) throw tooLong();
  }
  return text + decoder.decode();
}

function tooLong(): ModelError {
  const message = "Cannot read the model's answer: it is longer than any answer may be";
  return new ModelError(failure("unreadable", message));
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LLMock } from "@copilotkit/aimock";

export interface ChatRequest {
  headers: IncomingMessage["headers"];
  body: {
    model: string;
    messages: { role: string; content: string | null; [key: string]: unknown }[];
    [key: string]: unknown;
  };
}

/** What the server does with one request; all but the first are what can go wrong, or is rare. */
export type ChatStep =
  | { text?: string; calls?: readonly { name: string; input: unknown }[] }
  | { status: number; error: Record<string, unknown>; retryAfter?: string }
  /** Events as they are; the connection is closed after them, or broken. */
  | { events: readonly unknown[]; end?: "done" | "close" | "break" | "hang" }
  | { json: unknown }
  | { page: string }
  | { redirect: string }
  | { hang: true };

export interface ChatServer {
  /** Up to and without `/chat/completions`. */
  url: string;
  requests: ChatRequest[];
  /** Resolves when so many requests have come. */
  until(count: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Chat completions that follow a script over real HTTP: plain answers come from aimock. */
export async function startChatServer(script: readonly ChatStep[]): Promise<ChatServer> {
  const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent", journalMaxEntries: 1 });
  await mock.start();
  const requests: ChatRequest[] = [];
  const waiting: { count: number; done: () => void }[] = [];

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let raw = "";
    for await (const piece of req) raw += piece;
    requests.push({ headers: req.headers, body: JSON.parse(raw) });
    for (const wait of waiting) if (requests.length >= wait.count) wait.done();
    const step = script[requests.length - 1];
    if (req.url !== "/v1/chat/completions" || step === undefined) {
      return sendJson(res, 400, { error: { message: "The script has no step for this" } });
    }
    if ("status" in step) {
      if (step.retryAfter !== undefined) res.setHeader("retry-after", step.retryAfter);
      return sendJson(res, step.status, { error: step.error });
    }
    if ("json" in step) return sendJson(res, 200, step.json);
    if ("page" in step) {
      res.writeHead(200, { "content-type": "text/html" });
      return void res.end(step.page);
    }
    if ("redirect" in step) return void res.writeHead(307, { location: step.redirect }).end();
    if ("events" in step) return sendEvents(res, step);
    if (!("hang" in step)) await byMock(res, raw, step);
  }

  async function byMock(
    res: ServerResponse,
    raw: string,
    { text = "", calls = [] }: Extract<ChatStep, { text?: string }>,
  ): Promise<void> {
    const context = `request-${requests.length}`;
    const toolCalls = calls.map(({ name, input }, i) => ({
      id: `call_${requests.length}_${i}`,
      name,
      arguments: JSON.stringify(input),
    }));
    mock.prependFixture({
      match: { context },
      response: toolCalls.length === 0
        ? { content: text }
        : text === ""
        ? { toolCalls }
        : { content: text, toolCalls },
    });
    const answered = await fetch(`${mock.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-aimock-context": context },
      body: raw,
    });
    res.writeHead(answered.status, {
      "content-type": answered.headers.get("content-type") ?? "text/event-stream",
    });
    for await (const piece of answered.body ?? []) res.write(piece);
    res.end();
  }

  const server = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    until: (count) =>
      new Promise((done) => {
        if (requests.length >= count) done();
        else waiting.push({ count, done });
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await mock.stop();
    },
  };
}

function sendJson(res: ServerResponse, status: number, value: unknown): void {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify(value));
}

function sendEvents(
  res: ServerResponse,
  { events, end = "done" }: Extract<ChatStep, { events: readonly unknown[] }>,
): void {
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.write(": a comment keeps it alive\n\n");
  for (const event of events) {
    res.write(`data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`);
  }
  if (end === "done") res.end("data: [DONE]\n\n");
  else if (end === "close") res.end();
  // A reset overtakes what was written.
  else if (end === "break") setTimeout(() => res.destroy(), 50);
}

/** One event that says something. */
export function delta(fields: Record<string, unknown>, finish: string | null = null): unknown {
  return { choices: [{ index: 0, delta: fields, finish_reason: finish }] };
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LLMock } from "@copilotkit/aimock";

/** A call as the server got it. */
export interface ModelRequest {
  model: string;
  maxTokens: number;
  system: string;
  tools: readonly string[];
  /** Text of the last message, without tool results. */
  text: string;
  /** Tool results of the last message. */
  results: readonly { id: string; text: string; isError: boolean }[];
  headers: Readonly<Record<string, string>>;
  /** As it came, parsed. */
  body: Record<string, unknown>;
}

export interface Usage {
  input?: number;
  output?: number;
  cacheRead?: number;
  cacheWrite?: number;
}

/** What the model does; all but the first kind are what can go wrong. */
export type ModelReply =
  | { text?: string; calls?: readonly { name: string; input: unknown }[]; usage?: Usage }
  | { fault: "status"; status: number; type?: string; message?: string; retryAfter?: string }
  /** Takes the request and never answers. */
  | { fault: "hang" }
  /** Begins, says `text`, and is silent for ever. `pings`: but for keep-alives. */
  | { fault: "silence"; text: string; pings?: boolean }
  /** Begins, says `text`, and breaks the connection. */
  | { fault: "cut"; text: string; usage?: Usage }
  /** Says one piece after the other, with so many milliseconds between. */
  | { fault: "slow"; pieces: readonly string[]; everyMs: number }
  /** A tool call whose input is `json` letter by letter; `stop` max_tokens cuts it. */
  | { fault: "input"; text?: string; name: string; json: string; stop?: string }
  | { fault: "stop"; text: string; stop: string }
  /** An error in the middle of the stream, such as `overloaded_error`. */
  | { fault: "error-event"; type: string; message: string }
  /** Events that are not JSON, or `data` as it is. */
  | { fault: "garbage"; data?: string }
  /** What a login page of a proxy answers. */
  | { fault: "page" }
  | { fault: "redirect"; to: string };

export interface ModelStep {
  /** The step is taken by the first request that this holds for; absent: any. */
  when?: (request: ModelRequest) => boolean;
  reply: ModelReply | ((request: ModelRequest) => ModelReply);
  /** How often it is taken; once when absent, Infinity for a model that never stops. */
  times?: number;
}

export interface ModelServer {
  /** For ANTHROPIC_BASE_URL. */
  url: string;
  requests(): readonly ModelRequest[];
  /** Requests that no step was there for; they got status 400. */
  unmatched(): readonly ModelRequest[];
  /** Resolves when so many requests have come. */
  until(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * A Messages API that follows a script, over real HTTP. Answers come from aimock; faults
 * that it does not have are written by the small server in front of it.
 */
export async function startModelServer(script: readonly ModelStep[]): Promise<ModelServer> {
  const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent", journalMaxEntries: 1 });
  await mock.start();
  const left = script.map(({ times }) => times ?? 1);
  const requests: ModelRequest[] = [];
  const unmatched: ModelRequest[] = [];
  const waiting: { count: number; done: () => void }[] = [];

  function next(request: ModelRequest): ModelReply | undefined {
    const found = script.findIndex((step, i) =>
      (left[i] ?? 0) > 0 && (step.when?.(request) ?? true)
    );
    const step = script[found];
    if (step === undefined) return undefined;
    left[found] = (left[found] ?? 1) - 1;
    return typeof step.reply === "function" ? step.reply(request) : step.reply;
  }

  const server = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy());
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const raw = await readAll(req);
    if (req.method !== "POST" || req.url?.split("?")[0] !== "/v1/messages") {
      return sendError(res, 404, "not_found_error", `No such route: ${req.method} ${req.url}`);
    }
    const request = readRequest(raw, req);
    requests.push(request);
    for (const wait of waiting) if (requests.length >= wait.count) wait.done();
    const reply = next(request);
    if (reply === undefined) {
      unmatched.push(request);
      return sendError(res, 400, "invalid_request_error", "The script has no step for this");
    }
    if ("fault" in reply) return sendFault(res, reply, request);
    if (reply.usage?.cacheRead === undefined && reply.usage?.cacheWrite === undefined) {
      return await sendByMock(res, raw, reply);
    }
    sendPlain(res, reply, request);
  }

  async function sendByMock(
    res: ServerResponse,
    raw: string,
    reply: { text?: string; calls?: readonly { name: string; input: unknown }[]; usage?: Usage },
  ): Promise<void> {
    const context = `request-${requests.length}`;
    const calls = (reply.calls ?? []).map(({ name, input }, i) => ({
      id: `toolu_${requests.length}_${i}`,
      name,
      arguments: JSON.stringify(input),
    }));
    const text = reply.text ?? "";
    const { input = 100, output = 20 } = reply.usage ?? {};
    const usage = { input_tokens: input, output_tokens: output };
    mock.prependFixture({
      match: { context },
      response: calls.length === 0
        ? { content: text, usage }
        : text === ""
        ? { toolCalls: calls, usage }
        : { content: text, toolCalls: calls, usage },
    });
    const answered = await fetch(`${mock.url}/v1/messages`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-api-key": "none",
        "anthropic-version": "2023-06-01",
        "x-aimock-context": context,
      },
      body: raw,
    });
    res.writeHead(answered.status, {
      "content-type": answered.headers.get("content-type") ?? "text/event-stream",
    });
    for await (const chunk of answered.body ?? []) res.write(chunk);
    res.end();
  }

  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    unmatched: () => unmatched,
    until: (count) =>
      new Promise((done) => {
        if (requests.length >= count) done();
        else waiting.push({ count, done });
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await mock.stop();
    },
  };
}

type Fault = Extract<ModelReply, { fault: string }>;

function sendFault(res: ServerResponse, reply: Fault, request: ModelRequest): void {
  switch (reply.fault) {
    case "status": {
      if (reply.retryAfter !== undefined) res.setHeader("retry-after", reply.retryAfter);
      const type = reply.type ??
        (reply.status === 429
          ? "rate_limit_error"
          : reply.status === 529
          ? "overloaded_error"
          : "api_error");
      return sendError(res, reply.status, type, reply.message ?? "Scripted failure");
    }
    case "hang":
      return;
    case "silence": {
      begin(res, request);
      sayText(res, 0, reply.text);
      if (reply.pings !== true) return;
      const timer = setInterval(() => send(res, "ping", { type: "ping" }), 20);
      res.on("close", () => clearInterval(timer));
      return;
    }
    case "cut":
      begin(res, request, reply.usage);
      sayText(res, 0, reply.text);
      // A reset overtakes what was written: Bun drops what it has not yet handed on.
      setTimeout(() => res.destroy(), 50);
      return;
    case "slow":
      begin(res, request);
      saySlowly(res, reply.pieces, reply.everyMs);
      return;
    case "input": {
      begin(res, request);
      const index = reply.text === undefined ? 0 : 1;
      if (reply.text !== undefined) sayText(res, 0, reply.text);
      callTool(res, index, reply.name, [...reply.json]);
      return end(res, reply.stop ?? "tool_use");
    }
    case "stop":
      begin(res, request);
      if (reply.text !== "") sayText(res, 0, reply.text);
      return end(res, reply.stop);
    case "error-event":
      begin(res, request);
      send(res, "error", {
        type: "error",
        error: { type: reply.type, message: reply.message },
      });
      res.end();
      return;
    case "garbage":
      begin(res, request);
      res.write(`event: content_block_start\ndata: ${reply.data ?? "{broken"}\n\n`);
      res.end();
      return;
    case "page":
      res.writeHead(200, { "content-type": "text/html" });
      res.end("<html>Please log in</html>");
      return;
    case "redirect":
      res.writeHead(302, { location: reply.to });
      res.end();
  }
}

function sendPlain(
  res: ServerResponse,
  reply: { text?: string; calls?: readonly { name: string; input: unknown }[]; usage?: Usage },
  request: ModelRequest,
): void {
  begin(res, request, reply.usage);
  let index = 0;
  if (reply.text !== undefined) sayText(res, index++, reply.text);
  for (const { name, input } of reply.calls ?? []) {
    callTool(res, index++, name, [JSON.stringify(input)]);
  }
  end(res, (reply.calls ?? []).length > 0 ? "tool_use" : "end_turn", reply.usage?.output);
}

function begin(res: ServerResponse, request: ModelRequest, usage: Usage = {}): void {
  res.writeHead(200, { "content-type": "text/event-stream" });
  send(res, "message_start", {
    type: "message_start",
    message: {
      id: "msg_scripted",
      type: "message",
      role: "assistant",
      model: request.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: {
        input_tokens: usage.input ?? 100,
        output_tokens: 1,
        cache_read_input_tokens: usage.cacheRead ?? 0,
        cache_creation_input_tokens: usage.cacheWrite ?? 0,
      },
    },
  });
}

function sayText(res: ServerResponse, index: number, text: string): void {
  const start = { type: "text", text: "" };
  send(res, "content_block_start", { type: "content_block_start", index, content_block: start });
  const half = Math.ceil(text.length / 2);
  for (const piece of [text.slice(0, half), text.slice(half)]) {
    const delta = { type: "text_delta", text: piece };
    send(res, "content_block_delta", { type: "content_block_delta", index, delta });
  }
  send(res, "content_block_stop", { type: "content_block_stop", index });
}

function saySlowly(res: ServerResponse, pieces: readonly string[], everyMs: number): void {
  const start = { type: "text", text: "" };
  send(res, "content_block_start", { type: "content_block_start", index: 0, content_block: start });
  let said = 0;
  const timer = setInterval(() => {
    const text = pieces[said++];
    if (text === undefined) {
      clearInterval(timer);
      send(res, "content_block_stop", { type: "content_block_stop", index: 0 });
      return end(res, "end_turn");
    }
    const delta = { type: "text_delta", text };
    send(res, "content_block_delta", { type: "content_block_delta", index: 0, delta });
  }, everyMs);
  res.on("close", () => clearInterval(timer));
}

function callTool(res: ServerResponse, index: number, name: string, json: readonly string[]): void {
  const start = { type: "tool_use", id: `toolu_scripted_${index}`, name, input: {} };
  send(res, "content_block_start", { type: "content_block_start", index, content_block: start });
  for (const piece of json) {
    const delta = { type: "input_json_delta", partial_json: piece };
    send(res, "content_block_delta", { type: "content_block_delta", index, delta });
  }
  send(res, "content_block_stop", { type: "content_block_stop", index });
}

function end(res: ServerResponse, stop: string, output = 20): void {
  const delta = { stop_reason: stop, stop_sequence: null };
  const usage = { output_tokens: output };
  send(res, "message_delta", { type: "message_delta", delta, usage });
  send(res, "message_stop", { type: "message_stop" });
  res.end();
}

function send(res: ServerResponse, event: string, data: unknown): void {
  res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function sendError(res: ServerResponse, status: number, type: string, message: string): void {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify({ type: "error", error: { type, message } }));
}

async function readAll(req: IncomingMessage): Promise<string> {
  let text = "";
  req.setEncoding("utf8");
  for await (const chunk of req) text += chunk;
  return text;
}

interface Block {
  type: string;
  text?: string;
  tool_use_id?: string;
  content?: unknown;
  is_error?: boolean;
}

function readRequest(raw: string, req: IncomingMessage): ModelRequest {
  const body = JSON.parse(raw) as Record<string, unknown> & {
    messages: { role: string; content: string | Block[] }[];
    system?: string | Block[];
    tools?: { name: string }[];
  };
  const textOf = (content: string | Block[] | undefined) =>
    typeof content === "string"
      ? content
      : (content ?? []).filter(({ type }) => type === "text").map(({ text }) => text).join("\n");
  const last = body.messages.at(-1)?.content;
  const results = (Array.isArray(last) ? last : [])
    .filter(({ type }) => type === "tool_result")
    .map((block) => ({
      id: block.tool_use_id ?? "",
      text: typeof block.content === "string" ? block.content : JSON.stringify(block.content),
      isError: block.is_error === true,
    }));
  return {
    model: String(body.model),
    maxTokens: Number(body.max_tokens),
    system: textOf(body.system),
    tools: (body.tools ?? []).map(({ name }) => name),
    text: textOf(last),
    results,
    headers: Object.fromEntries(
      Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
    ),
    body,
  };
}

import type { Transport } from "@modelcontextprotocol/sdk/shared/transport";
import { nearest } from "../base/text.ts";
import { createLines } from "./mcp-lines.ts";
import { isRecord } from "./mcp-schema.ts";
import type { Tool, ToolResult } from "./tool.ts";

/** One message of a client's. Bytes. */
const LONGEST_LINE = 4 * 1024 * 1024;
/** After the end of the input, calls that are under way may finish for so long. Milliseconds. */
const LAST_CALLS_MS = 10_000;

export interface McpServerParts {
  tools: readonly Tool[];
  name: string;
  version: string;
  /** What the tools are about; clients show it to their model. */
  instructions?: string;
}

export interface McpServer {
  /** Answers until the input ends or the signal is aborted; then calls under way have ended as well. */
  serve(channel: McpChannel): Promise<void>;
}

/** Where one client is: lines of JSON in both directions. */
export interface McpChannel {
  input: AsyncIterable<Uint8Array>;
  write(line: string): void;
  signal: AbortSignal;
  /** Troubles that the client is not told of; standard output is the protocol's. */
  onProblem(message: string): void;
}

/** Offers tools to any MCP client. */
export function createMcpServer(parts: McpServerParts): McpServer {
  return { serve: (channel) => serve(parts, channel) };
}

async function serve(parts: McpServerParts, channel: McpChannel): Promise<void> {
  const { Server } = await import("@modelcontextprotocol/sdk/server");
  // The package has types for this file only under its name without the ending.
  const { CallToolRequestSchema, ListToolsRequestSchema } = await import(
    "@modelcontextprotocol/sdk/types.js"
  ) as typeof import("@modelcontextprotocol/sdk/types");
  const byName = new Map(parts.tools.map((tool) => [tool.name, tool]));
  const calls = new Set<Promise<unknown>>();
  const stop = new AbortController();
  const server = new Server({ name: parts.name, version: parts.version }, {
    capabilities: { tools: {} },
    ...(parts.instructions === undefined ? {} : { instructions: parts.instructions }),
    jsonSchemaValidator: {
      getValidator: () => (input) => ({
        valid: true,
        data: input as never,
        errorMessage: undefined,
      }),
    },
  });
  server.onerror = (error) => channel.onProblem(error.message);
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: parts.tools.map(listed) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const tool = byName.get(params.name);
    const call = tool === undefined
      ? Promise.resolve(unknownTool(params.name, byName.keys()))
      : run(tool, params.arguments ?? {}, AbortSignal.any([signal, stop.signal]));
    calls.add(call);
    const { text, isError } = await call.finally(() => calls.delete(call));
    return { content: [{ type: "text" as const, text }], isError };
  });
  const transport = lineTransport(channel);
  await server.connect(transport);
  try {
    await readAll(transport, channel);
    await lastCalls(calls, channel.signal);
  } finally {
    stop.abort();
    await Promise.allSettled(calls);
    await server.close();
  }
}

function listed(tool: Tool) {
  return {
    name: tool.name,
    description: tool.description,
    inputSchema: { ...tool.schema, type: "object" as const },
    annotations: { readOnlyHint: !tool.acts, openWorldHint: false },
  };
}

async function run(tool: Tool, input: unknown, signal: AbortSignal): Promise<ToolResult> {
  try {
    return await tool.run(input, signal);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { text: `Cannot run "${tool.name}": ${why}`, isError: true };
  }
}

function unknownTool(name: string, known: Iterable<string>): ToolResult {
  const names = [...known];
  const near = nearest(name, names);
  const hint = near === undefined
    ? `the tools are ${names.join(", ")}`
    : `the nearest is "${near}"`;
  return {
    text: `Cannot run "${name.slice(0, 100)}": there is no such tool; ${hint}`,
    isError: true,
  };
}

function lineTransport({ write }: McpChannel): Transport {
  const transport: Transport = {
    start: () => Promise.resolve(),
    send(message) {
      write(`${JSON.stringify(message)}\n`);
      return Promise.resolve();
    },
    close() {
      transport.onclose?.();
      return Promise.resolve();
    },
  };
  return transport;
}

/** Hands on messages until the input ends, is given up, or holds what cannot be a message. */
async function readAll(transport: Transport, channel: McpChannel): Promise<void> {
  const lines = createLines(LONGEST_LINE);
  for await (const bytes of untilAborted(channel.input, channel.signal)) {
    const whole = lines.take(bytes);
    if (whole === undefined) {
      channel.onProblem(`A message is longer than ${LONGEST_LINE} bytes; the connection is closed`);
      return;
    }
    for (const line of whole) {
      const message = parse(line);
      if (isRecord(message)) transport.onmessage?.(message as never);
      else transport.send({ jsonrpc: "2.0", id: null, error: PARSE_ERROR } as never);
    }
  }
  // The last line may come without a newline.
  for (const line of lines.take(new Uint8Array([10])) ?? []) {
    const message = parse(line);
    if (isRecord(message)) transport.onmessage?.(message as never);
  }
}

const PARSE_ERROR = { code: -32700, message: "Cannot read the message: it is no JSON object" };

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function* untilAborted(
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = input[Symbol.asyncIterator]();
  let stop = () => {};
  const aborted = new Promise<IteratorReturnResult<undefined>>((resolve) => {
    stop = () => resolve({ done: true, value: undefined });
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    while (true) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    // Not awaited: under an input that never ends it would not come back.
    void iterator.return?.().catch(() => {});
  }
}

/** A client that pipes its requests in and closes gets its answers all the same. */
async function lastCalls(calls: ReadonlySet<Promise<unknown>>, signal: AbortSignal): Promise<void> {
  // What was just read is handled in the turns that follow.
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (calls.size === 0 || signal.aborted) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_CALLS_MS);
    stop = resolve;
    signal.addEventListener("abort", stop, { once: true });
  });
  await Promise.race([Promise.allSettled(calls), over]);
  signal.removeEventListener("abort", stop);
  clearTimeout(timer);
}

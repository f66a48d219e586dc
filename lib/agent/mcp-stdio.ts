import type { Transport } from "@modelcontextprotocol/sdk/shared/transport";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types";
import { startPiped } from "../base/piped-child.ts";
import type { ChildEnd } from "../base/piped-child.ts";
import { createLines } from "./mcp-lines.ts";
import { isRecord } from "./mcp-schema.ts";

/** One line of a server's. Bytes. */
const LONGEST_LINE = 16 * 1024 * 1024;
/** All that a server may send between two messages of ours. Bytes. */
const FLOOD = 32 * 1024 * 1024;
/** Lines that are no message, in the same span: a greeting is forgiven, a stream of junk costs time. */
const MOST_JUNK = 1_000;
/** Kept of what the program says on standard error. Characters. */
const LAST_WORDS = 2_000;

export interface StdioTransport extends Transport {
  /** Why it is over, as the end of a sentence; undefined while it works or after `close`. */
  why(): string | undefined;
}

export interface StdioParts {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string;
}

/**
 * Talks to a server that it starts. The SDK's own transport ends only the program
 * itself, which leaves the server of an `npx` running, and adds to the environment.
 */
export function createStdioTransport(parts: StdioParts): StdioTransport {
  let child: ReturnType<typeof startPiped> | undefined;
  let lastWords = "";
  let why: string | undefined;
  let received = 0;
  let junk = 0;
  let closed = false;
  const lines = createLines(LONGEST_LINE);

  function take(bytes: Uint8Array): void {
    if (closed || why !== undefined) return;
    received += bytes.length;
    const whole = received > FLOOD ? undefined : lines.take(bytes);
    if (whole === undefined) return fail("it sends without end");
    for (const line of whole) {
      const message = parseMessage(line);
      if (message !== undefined) transport.onmessage?.(message);
      else if (++junk > MOST_JUNK) return fail("it sends what is no MCP");
    }
  }

  function fail(reason: string): void {
    if (closed || why !== undefined) return;
    why = reason;
    void child?.end();
    transport.onclose?.();
  }

  const transport: StdioTransport = {
    why: () => why,
    start() {
      child = startPiped([parts.command, ...parts.args], {
        env: parts.env,
        ...(parts.cwd === undefined ? {} : { cwd: parts.cwd }),
        onOutput: take,
        onErrorOutput(bytes) {
          lastWords = (lastWords + new TextDecoder().decode(bytes)).slice(-LAST_WORDS);
        },
      });
      void child.ended.then((end) => fail(wordsFor(end, parts.command, lastWords)));
      return Promise.resolve();
    },
    send(message) {
      received = 0;
      junk = 0;
      if (why !== undefined) return Promise.reject(new Error(why));
      if (child?.write(`${JSON.stringify(message)}\n`)) return Promise.resolve();
      fail("it does not read what it is sent");
      return Promise.reject(new Error(why ?? "it was closed"));
    },
    async close() {
      const first = !closed && why === undefined;
      closed = true;
      await child?.end();
      if (first) transport.onclose?.();
    },
  };
  return transport;
}

/** Checked no further: each answer is read by its own schema. */
function parseMessage(line: string): JSONRPCMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const message: unknown = JSON.parse(line);
    return isRecord(message) && message["jsonrpc"] === "2.0"
      ? message as unknown as JSONRPCMessage
      : undefined;
  } catch {
    return undefined;
  }
}

function wordsFor(end: ChildEnd, command: string, lastWords: string): string {
  if (end.spawnError === "ENOENT") return `there is no program "${command}"`;
  if (end.spawnError !== undefined) return `"${command}" cannot be started (${end.spawnError})`;
  const how = end.signal === undefined
    ? `it ended with exit code ${end.exitCode}`
    : `it was ended by ${end.signal}`;
  const line = lastWords.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? how : `${how}; its last words were: ${line}`;
}

import type { AnyMessage, Stream } from "@agentclientprotocol/sdk";
import { createLines } from "../agent/mcp-lines.ts";
import { isRecord } from "../agent/mcp-schema.ts";
import { cleanLine } from "../agent/quote-data.ts";
import { type ChildEnd, startPiped } from "../base/piped-child.ts";

/** Bounds on what a program may send; a program beyond them is broken or hostile. */
export interface AcpBounds {
  /** One line. Bytes. */
  line: number;
  /** All of it. Bytes. */
  total: number;
  /** Lines in a row that are no message. */
  junk: number;
}

export const ACP_BOUNDS: AcpBounds = {
  line: 32 * 1024 * 1024,
  total: 1024 * 1024 * 1024,
  junk: 1_000,
};

export interface AcpProcess {
  /** Requests and answers. */
  stream: Stream;
  /** Hears of `session/update` from now on, in order with the answers of the stream. */
  listen(onUpdate: (params: unknown) => void): void;
  /** Resolves when nothing more is to come, with the reason as the end of a sentence. */
  readonly over: Promise<string>;
  /** The last of what it wrote to its standard error. */
  lastWords(): string;
  /** Ends the program and what it started. */
  end(): Promise<void>;
}

/** What it wrote last may still be on its way when it ends. Milliseconds. */
const LAST_WORDS_MS = 300;
const LAST_WORDS = 2_000;
const UPDATE = "session/update";

/**
 * A program that speaks ACP over its input and output. The SDK's own stream answers every line that
 * is no message, without end; and it refuses kinds of updates that are newer than itself and tells
 * the console about them, so that updates take their own way.
 */
export function startAcpProcess(
  argv: readonly string[],
  parts: {
    cwd: string;
    env: Readonly<Record<string, string>>;
    graceMs: number | undefined;
    bounds: AcpBounds;
    log(text: string): void;
    /** Of what it writes, where others are served beside it. */
    bytesPerSecond?: number;
    /** Ends with this process, however that ends. */
    guarded?: boolean;
  },
): AcpProcess {
  const lines = createLines(parts.bounds.line);
  const asked = new Set<unknown>();
  const decoder = new TextDecoder();
  let controller: ReadableStreamDefaultController<AnyMessage> | undefined;
  let received = 0;
  let junk = 0;
  let lastWords = "";
  let isOver = false;
  let onUpdate: (params: unknown) => void = () => {};
  const { promise: over, resolve } = Promise.withResolvers<string>();

  function finish(why: string): void {
    if (isOver) return;
    isOver = true;
    resolve(why);
    // Afterwards: the reason is heard before the requests that fail by it.
    setTimeout(closeStream, 0);
  }

  function closeStream(): void {
    try {
      controller?.close();
    } catch {
      // The connection was closed before.
    }
  }

  function take(bytes: Uint8Array): void {
    if (isOver) return;
    received += bytes.length;
    const whole = received > parts.bounds.total ? undefined : lines.take(bytes);
    if (whole === undefined) return finish("it sends without end");
    for (const line of whole) {
      const message = readMessage(line, asked);
      if (message !== undefined) {
        junk = 0;
        if ("method" in message && message.method === UPDATE) onUpdate(message.params);
        else controller?.enqueue(message);
      } else {
        if (junk < 20) parts.log(`\n[no ACP message: ${cleanLine(line, 300)}]`);
        if (++junk > parts.bounds.junk) return finish("it sends what is no ACP");
      }
    }
  }

  const child = startPiped(argv, {
    cwd: parts.cwd,
    env: parts.env,
    onOutput: take,
    onErrorOutput(bytes) {
      const text = decoder.decode(bytes, { stream: true });
      lastWords = (lastWords + text).slice(-LAST_WORDS);
      parts.log(text);
    },
    ...(parts.graceMs === undefined ? {} : { graceMs: parts.graceMs }),
    ...(parts.guarded === undefined ? {} : { guarded: parts.guarded }),
    ...(parts.bytesPerSecond === undefined ? {} : { bytesPerSecond: parts.bytesPerSecond }),
  });
  const readable = new ReadableStream<AnyMessage>({
    start(given) {
      controller = given;
    },
    cancel: () => finish("the connection was closed"),
  });
  const writable = new WritableStream<AnyMessage>({
    write(message) {
      if ("method" in message && "id" in message) asked.add(message.id);
      if (isOver || child.write(`${JSON.stringify(message)}\n`)) return;
      finish("it does not read what it is sent");
    },
  });
  void child.ended.then(async (end) => {
    await new Promise((done) => setTimeout(done, isOver ? 0 : LAST_WORDS_MS));
    finish(wordsOf(end, argv[0] ?? "", lastWords));
  });
  return {
    stream: { readable, writable },
    listen(heard) {
      onUpdate = heard;
    },
    over,
    lastWords: () => lastWords,
    end: child.end,
  };
}

/** Undefined for what is no message, and for an answer that nobody asked for. */
function readMessage(line: string, asked: Set<unknown>): AnyMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || Array.isArray(value) || value["jsonrpc"] !== "2.0") return undefined;
  if (typeof value["method"] === "string") {
    const { id } = value;
    const known = id === undefined || typeof id === "string" || Number.isFinite(id);
    return known ? value as unknown as AnyMessage : undefined;
  }
  const answers = "result" in value || "error" in value;
  return answers && asked.delete(value["id"]) ? value as unknown as AnyMessage : undefined;
}

function wordsOf(end: ChildEnd, program: string, lastWords: string): string {
  if (end.spawnError !== undefined) return `"${program}" cannot be started (${end.spawnError})`;
  const how = end.signal === undefined
    ? `it ended with exit code ${end.exitCode}`
    : `it was ended by ${end.signal}`;
  const words = cleanLine(lastWords.trim().split("\n").at(-1) ?? "", 300).replace(/\.$/, "");
  return words === "" ? how : `${how}; its last words were: ${words}`;
}

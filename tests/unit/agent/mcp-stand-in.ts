import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Clock } from "../../../lib/base/clock.ts";
import type { McpServerSettings } from "../../../lib/sweep/config.ts";
import { removeTree } from "../../support/remove-tree.ts";

/**
 * A small MCP server without any library. What `answer` (a function of name, arguments
 * and environment, as source) gives back is the result; undefined is no answer at all.
 */
export interface StandIn {
  tools?: readonly unknown[];
  /** Source of `(name, input, tell) => result | undefined`. */
  answer?: string;
  /** Source that runs first. */
  before?: string;
  /** Source of `(message, reply) => boolean`: true when it dealt with the message. */
  first?: string;
}

function source({ tools = [], answer = "() => ({ content: [] })", before = "", first }: StandIn) {
  return `
import process from "node:process";
${before}
const answer = ${answer};
const first = ${first ?? "() => false"};
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
let text = "";
process.stdin.on("data", (bytes) => {
  text += bytes;
  for (let at = text.indexOf("\\n"); at >= 0; at = text.indexOf("\\n")) {
    const message = JSON.parse(text.slice(0, at));
    text = text.slice(at + 1);
    handle(message);
  }
});
process.stdin.on("end", () => process.exit(0));
async function handle(message) {
  const reply = (result) => send({ id: message.id, result });
  if (first(message, reply, send)) return;
  if (message.method === "initialize") {
    return reply({
      protocolVersion: message.params.protocolVersion,
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: "stand-in", version: "1" },
    });
  }
  if (message.method === "ping") return reply({});
  if (message.method === "tools/list") return reply({ tools: ${JSON.stringify(tools)} });
  if (message.method === "tools/call") {
    const result = await answer(message.params.name, message.params.arguments, send);
    if (result !== undefined) reply(result);
  }
}
`;
}

/** Calls `use` with a folder in which stand-ins are made; the folder is removed afterwards. */
export async function withStandIns(
  use: (
    make: (name: string, standIn: StandIn) => McpServerSettings & { transport: "stdio" },
    dir: string,
  ) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "herd-mcp-"));
  const options = "deno" in process.versions ? ["run", "-A", "--no-config"] : [];
  try {
    await use((name, standIn) => {
      const path = join(dir, `${name}.mjs`);
      writeFileSync(path, source(standIn));
      return {
        name,
        transport: "stdio",
        tools: undefined,
        command: process.execPath,
        args: [...options, path],
        env: {},
      };
    }, dir);
  } finally {
    removeTree(dir);
  }
}

/** A clock whose sleeps end when the test says so. */
export interface HeldClock extends Clock {
  /** Resolves when somebody sleeps for so long; then that sleep and all shorter ones are over. */
  pass(ms: number): Promise<void>;
  /** Moves the time on without ending a sleep. */
  move(ms: number): void;
}

export function createHeldClock(): HeldClock {
  let now = Date.UTC(2026, 0, 1);
  const sleepers = new Set<{ ms: number; wake(): void }>();
  const waiters = new Set<{ ms: number; come(): void }>();
  return {
    now: () => now,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const sleeper = { ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        }, { once: true });
        for (const waiter of [...waiters].filter((one) => one.ms === ms)) {
          waiters.delete(waiter);
          waiter.come();
        }
      });
    },
    async pass(ms) {
      if (![...sleepers].some((one) => one.ms === ms)) {
        await new Promise<void>((come) => waiters.add({ ms, come }));
      }
      now += ms;
      for (const sleeper of [...sleepers].filter((one) => one.ms <= ms)) {
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
    move: (ms) => now += ms,
  };
}

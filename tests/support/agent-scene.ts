import type { ThinkRequest, Thought } from "../../lib/agent/agent.ts";
import { createClaudeAgent } from "../../lib/agent/claude.ts";
import type { Environment } from "../../lib/agent/credentials.ts";
import type { Tool, ToolResult } from "../../lib/agent/tool.ts";
import type { Clock } from "../../lib/base/clock.ts";
import type { AgentSettings } from "../../lib/sweep/config.ts";
import type { ModelUse } from "../../lib/sweep/monitor-event.ts";
import { AGENT_DEFAULTS } from "../../lib/sweep/read-monitor.ts";
import { type ModelServer, type ModelStep, startModelServer } from "./model-server.ts";

/** Sleeps of at most `limitMs` are over at once and time has passed; longer ones only end with their signal. */
export function createImpatientClock(limitMs = 60_000): Clock & { slept: number[] } {
  let now = Date.UTC(2026, 10, 21);
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (ms <= limitMs) {
        now += ms;
        slept.push(ms);
        return Promise.resolve();
      }
      return new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
  };
}

/** A tool that answers, and remembers what it was called with. */
export function createTool(
  name: string,
  more: Partial<Tool> & { answer?: (input: unknown) => ToolResult | Promise<ToolResult> } = {},
): Tool & { calls: unknown[] } {
  const calls: unknown[] = [];
  return {
    name,
    calls,
    description: `Does ${name}`,
    schema: { type: "object", properties: {} },
    acts: false,
    run: async (input) => {
      calls.push(input);
      return await (more.answer?.(input) ?? { text: `${name} answered`, isError: false });
    },
    ...more,
  };
}

export interface Thinking {
  thought: Thought;
  uses: ModelUse[];
  texts: string[];
  tools: { name: string; result: string; isError: boolean }[];
  server: ModelServer;
  clock: Clock & { slept: number[] };
}

/** One turn of the real agent against a scripted server. */
export async function thinkWith(
  script: readonly ModelStep[],
  given: {
    settings?: Partial<AgentSettings>;
    env?: Environment;
    clock?: Clock & { slept: number[] };
    toolLimitMs?: number;
  } & Partial<ThinkRequest> = {},
): Promise<Thinking> {
  const { settings, env, toolLimitMs, ...request } = given;
  const clock = given.clock ?? createImpatientClock();
  const server = await startModelServer(script);
  try {
    const agent = createClaudeAgent({
      settings: { ...AGENT_DEFAULTS, ...settings },
      env: { ANTHROPIC_API_KEY: "key-of-tests", ANTHROPIC_BASE_URL: server.url, ...env },
      clock,
      random: () => 0.5,
      ...(toolLimitMs === undefined ? {} : { toolLimitMs }),
    });
    const heard = heardOf(request);
    const thought = await agent.think(heard.request);
    return { ...heard, thought, server, clock };
  } finally {
    await server.close();
  }
}

/** A request that remembers what it is told. */
export function heardOf(given: Partial<ThinkRequest> = {}) {
  const uses: ModelUse[] = [];
  const texts: string[] = [];
  const tools: { name: string; result: string; isError: boolean }[] = [];
  const request: ThinkRequest = {
    purpose: "tick",
    system: "You watch over a sweep.",
    prompt: "Trial 3 failed.",
    tools: [],
    budgetUsd: undefined,
    signal: new AbortController().signal,
    onUse: (use) => void uses.push(use),
    onText: (text) => void texts.push(text),
    onTool: ({ name, result, isError }) => void tools.push({ name, result, isError }),
    ...given,
  };
  return { uses, texts, tools, request };
}

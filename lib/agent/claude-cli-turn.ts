import type { TokenPrice } from "../sweep/config.ts";
import type { ModelUse, Tokens } from "../sweep/monitor-event.ts";
import { noTokens } from "../sweep/monitor-state.ts";
import type { ModelFailure, ThinkRequest, Thought } from "./agent.ts";
import { SERVER } from "./claude-cli-arguments.ts";
import {
  type CliBlock,
  type CliEvent,
  cliFailureKind,
  type CliUsage,
  resultText,
} from "./claude-cli-events.ts";
import { modelUse } from "./cost.ts";
import { failure } from "./model-failure.ts";

/** Tools of the command's own that read nothing and change nothing; any other one ends the turn. */
const HARMLESS = ["ListMcpResourcesTool", "ReadMcpResourceTool", "ToolSearch", "TodoWrite"];

type Result = Extract<CliEvent, { type: "result" }>;

/** Follows one run of the command by its events. `stop` ends it. */
export function createCliTurn(
  request: ThinkRequest,
  parts: {
    model: string;
    prices: Readonly<Record<string, TokenPrice>>;
    now(): number;
    stop(): void;
    onUse(use: ModelUse): void;
  },
) {
  /** Usage by message id: one call is told of several times, its output growing. */
  const used = new Map<string, Tokens>();
  const open = new Map<string, { name: string; input: unknown; at: number }>();
  let model = parts.model;
  let current = "";
  let streamed = "";
  let text = "";
  let problem: ModelFailure | undefined;
  let error: string | undefined;
  let result: Result | undefined;
  let booked = { tokens: noTokens(), usd: 0 };
  let overBudget = false;

  function count(id: string | undefined, usage: CliUsage | undefined): void {
    if (usage === undefined) return;
    const key = id ?? current;
    const before = used.get(key) ?? noTokens();
    used.set(key, {
      input: usage.input_tokens ?? before.input,
      output: Math.max(before.output, usage.output_tokens ?? 0),
      cacheRead: usage.cache_read_input_tokens ?? before.cacheRead,
      cacheWrite: usage.cache_creation_input_tokens ?? before.cacheWrite,
    });
  }

  /**
   * Books what was not booked yet. After each call at our own prices, so that no crash forgets
   * it; at the end the rest of what the command itself says, which is the truth.
   */
  function book(last: boolean): void {
    const usage = result?.usage;
    const tokens = less(most([...used.values()].reduce(add, noTokens()), usage), booked.tokens);
    const { purpose } = request;
    const estimated = last && result === undefined;
    const use = modelUse({ model, tokens, purpose, estimated }, parts.prices);
    const total = result?.total_cost_usd;
    const usd = total === undefined ? use.usd : Math.max(0, total - booked.usd);
    if (!usd && Object.values(tokens).every((n) => n === 0)) return;
    // Without a price of ours the command's own word is waited for.
    if (usd === null && !last) return;
    booked = { tokens: add(booked.tokens, tokens), usd: booked.usd + (usd ?? 0) };
    parts.onUse({ ...use, usd });
    if (request.budgetUsd !== undefined && booked.usd >= request.budgetUsd && !last) {
      overBudget = true;
      parts.stop();
    }
  }

  function checkStart(event: Extract<CliEvent, { type: "system" }>): void {
    model = event.model ?? model;
    const foreign = (event.tools ?? []).filter((name) =>
      !name.startsWith(`mcp__${SERVER}__`) && !HARMLESS.includes(name)
    );
    const server = event.mcp_servers?.find(({ name }) => name === SERVER);
    if (foreign.length > 0) {
      fail(
        `Cannot use the "claude" command: it offers tools of its own to the model ` +
          `(${foreign.slice(0, 5).join(", ")}), which herd does not allow; update it`,
      );
    } else if (server?.status === "failed") {
      fail(`Cannot use the "claude" command: it could not start herd's tools ("herd mcp")`);
    }
  }

  function fail(message: string): void {
    problem ??= failure("rejected", message);
    parts.stop();
  }

  function addStreamed(event: Extract<CliEvent, { type: "stream_event" }>["event"]): void {
    if (event.type === "message_start") {
      current = event.message?.id ?? `message ${used.size + 1}`;
      streamed = "";
      count(current, event.message?.usage);
    } else if (event.type === "message_delta") count(current, event.usage);
    else if (event.type === "message_stop") book(false);
    else if (event.type === "content_block_delta" && event.delta?.type === "text_delta") {
      streamed += event.delta.text ?? "";
      tell(() => request.onText?.(streamed));
    }
  }

  function addBlock(block: CliBlock): void {
    if (block.type === "tool_use") {
      const name = block.name.replace(`mcp__${SERVER}__`, "");
      open.set(block.id, { name, input: block.input, at: parts.now() });
    } else if (block.type === "tool_result") {
      const call = open.get(block.tool_use_id);
      open.delete(block.tool_use_id);
      if (call === undefined) return;
      const { name, input, at } = call;
      const text = resultText(block.content);
      const isError = block.is_error === true;
      tell(() => request.onTool?.({ name, input, result: text, isError, ms: parts.now() - at }));
    }
  }

  return {
    add(event: CliEvent): void {
      if (event.type === "system") checkStart(event);
      else if (event.type === "stream_event") addStreamed(event.event);
      else if (event.type === "assistant") {
        error = event.error ?? error;
        // Made up by the command to tell of an error; nobody was asked.
        if (event.message.model !== "<synthetic>") count(event.message.id, event.message.usage);
        const said = event.message.content
          .map((block) => block.type === "text" ? block.text : "").join("").trim();
        if (said !== "" && event.error === undefined) text = said;
        event.message.content.forEach(addBlock);
      } else if (event.type === "user") {
        if (typeof event.message.content !== "string") event.message.content.forEach(addBlock);
      } else result = event;
    },
    /** Whether one of our tools runs right now: the command is silent meanwhile. */
    inTool: () => open.size > 0,
    said: () => streamed.trim() !== "" ? streamed.trim() : text,
    finished: () => result !== undefined,
    bookRest: () => book(true),
    /** How it ended, when it ended by itself. */
    thought(ended: { exitCode: number | undefined; stderr: string }): Thought {
      if (problem !== undefined) return { kind: "failed", failure: problem, text };
      if (overBudget) return { kind: "out-of-budget", text: this.said() };
      if (result === undefined) {
        return { kind: "failed", failure: died(ended, error), text: this.said() };
      }
      if (result.subtype === "error_max_turns") return { kind: "out-of-turns", text };
      if (result.subtype === "error_max_budget_usd") return { kind: "out-of-budget", text };
      if (result.subtype === "success" && result.is_error !== true) {
        return { kind: "answered", text: (result.result ?? text).trim() };
      }
      const why = [result.result, ...(result.errors ?? []), error, result.subtype]
        .find((words) => words !== undefined && words !== "") ?? "";
      const status = result.api_error_status ?? undefined;
      const kind = cliFailureKind(error, status);
      const advice = kind === "auth" ? ', run "claude" once and log in with /login' : "";
      const message = `The "claude" command failed: ${quoted(why)}${advice}`;
      return {
        kind: "failed",
        failure: failure(kind, message, status === undefined ? {} : { status }),
        text,
      };
    },
  };
}

function died(
  ended: { exitCode: number | undefined; stderr: string },
  error: string | undefined,
): ModelFailure {
  const stderr = ended.stderr.trim();
  if (/unknown option/i.test(stderr)) {
    const message = `Cannot use the "claude" command: ${quoted(stderr)}, run "claude update"`;
    return failure("rejected", message);
  }
  const how = ended.exitCode === undefined ? "was killed" : `ended with code ${ended.exitCode}`;
  const why = stderr === "" ? "" : `: ${quoted(stderr)}`;
  return failure(
    cliFailureKind(error, undefined),
    `The "claude" command ${how} before it had answered${why}`,
  );
}

function quoted(text: string): string {
  // deno-lint-ignore no-control-regex -- what a program says is shown in terminals
  const line = text.replace(/[\x00-\x1f\x7f-\x9f\s]+/g, " ").trim();
  return JSON.stringify(line.slice(-300).toWellFormed());
}

function tell(say: () => void): void {
  try {
    say();
  } catch {
    // Who listens does not stop the work.
  }
}

function add(a: Tokens, b: Tokens): Tokens {
  return combine(a, b, (x, y) => x + y);
}

function most(a: Tokens, usage: CliUsage | undefined): Tokens {
  return combine(a, {
    input: usage?.input_tokens ?? 0,
    output: usage?.output_tokens ?? 0,
    cacheRead: usage?.cache_read_input_tokens ?? 0,
    cacheWrite: usage?.cache_creation_input_tokens ?? 0,
  }, Math.max);
}

function less(a: Tokens, b: Tokens): Tokens {
  return combine(a, b, (x, y) => Math.max(0, x - y));
}

function combine(a: Tokens, b: Tokens, by: (x: number, y: number) => number): Tokens {
  return {
    input: by(a.input, b.input),
    output: by(a.output, b.output),
    cacheRead: by(a.cacheRead, b.cacheRead),
    cacheWrite: by(a.cacheWrite, b.cacheWrite),
  };
}

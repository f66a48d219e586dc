import type { MessageParam } from "@anthropic-ai/sdk/resources/messages";
import type { Clock } from "../base/clock.ts";
import type { AgentSettings } from "../sweep/config.ts";
import type { ModelFailure, ThinkRequest } from "./agent.ts";
import { answerRoom, modelUse, priceOf, promptTokensOf } from "./cost.ts";
import type { CallUse, ModelCall, ModelOutcome, ModelReply } from "./model-call.ts";
import { failure } from "./model-failure.ts";

export interface AskParts {
  call(call: ModelCall): Promise<ModelOutcome>;
  model: string;
  settings: AgentSettings;
  clock: Clock;
  random(): number;
  /** Absent: the daemon's, which asks again itself later on. */
  patience?: Patience | undefined;
}

/** How long a call is tried again. */
export interface Patience {
  /** Calls in all, for one answer. */
  tries: number;
  /** Longest wait between two of them; a server that asks for more is not waited for. Milliseconds. */
  longestMs: number;
}

export type Asked =
  | { kind: "reply"; reply: ModelReply }
  | { kind: "out-of-budget" }
  | { kind: "aborted"; text: string }
  | { kind: "failed"; failure: ModelFailure; text: string };

/** Calls in all, for one answer; more is up to the daemon's long back-off. */
const TRIES = 3;
const FIRST_WAIT_MS = 1_000;
/** A server that wants more patience than this gets it from the daemon. */
const LONGEST_WAIT_MS = 20_000;
const PATIENCE: Patience = { tries: TRIES, longestMs: LONGEST_WAIT_MS };
/** Fewer than there are, so that a prompt's tokens are not counted too low. */
const CHARACTERS_PER_TOKEN = 3;

/** Asks the model within one turn: checks the budget before each call, keeps the books after it, tries again. */
export function createAsker(parts: AskParts, request: ThinkRequest) {
  const { model, settings, clock } = parts;
  let spentUsd = 0;
  /** Tokens of the conversation up to its `counted`th message, as the server counted them. */
  let known: { tokens: number; counted: number } | undefined;

  function promptTokens(messages: readonly MessageParam[]): number {
    // It was made shorter in between.
    if (known !== undefined && known.counted > messages.length) known = undefined;
    const rest = JSON.stringify(messages.slice(known?.counted ?? 0)).length;
    const tools = request.tools.map(({ name, description, schema }) => [name, description, schema]);
    const fixed = known === undefined ? request.system.length + JSON.stringify(tools).length : 0;
    return (known?.tokens ?? 0) + Math.ceil((rest + fixed) / CHARACTERS_PER_TOKEN);
  }

  function room(messages: readonly MessageParam[]): number | undefined {
    if (request.budgetUsd === undefined) return settings.maxTokens;
    const tokens = promptTokens(messages);
    const price = priceOf(model, settings.prices, tokens);
    // What has no price cannot be kept within a budget.
    if (price === undefined) return undefined;
    const leftUsd = request.budgetUsd - spentUsd;
    return answerRoom({ leftUsd, price, promptTokens: tokens, maxTokens: settings.maxTokens });
  }

  async function keep(used: CallUse | undefined, counted: number): Promise<void> {
    if (used === undefined) return;
    known = { tokens: promptTokensOf(used.tokens), counted };
    const use = modelUse({ model, purpose: request.purpose, ...used }, settings.prices);
    spentUsd += use.usd ?? 0;
    await request.onUse(use, used.usd);
  }

  return {
    async ask(messages: readonly MessageParam[], onText: (text: string) => void): Promise<Asked> {
      const { signal, system, tools } = request;
      const onThought = () => request.onThought?.();
      for (let tries = 1;; tries++) {
        if (signal.aborted) return { kind: "aborted", text: "" };
        const maxTokens = room(messages);
        if (maxTokens === undefined) return { kind: "out-of-budget" };
        const outcome = await parts.call({
          system,
          messages,
          tools,
          maxTokens,
          signal,
          onText,
          onThought,
        });
        try {
          await keep(outcome.used, messages.length);
        } catch (error) {
          // Money that nobody counts is not spent any further.
          const why = error instanceof Error ? error.message : String(error);
          const message = `Cannot record what the model cost: ${why}`;
          return { kind: "failed", failure: failure("rejected", message), text: textOf(outcome) };
        }
        if (outcome.ok) return { kind: "reply", reply: outcome.reply };
        if (signal.aborted) return { kind: "aborted", text: outcome.text };
        const waitMs = retryWait(outcome.failure, tries, parts.random, parts.patience);
        if (waitMs === undefined) {
          return { kind: "failed", failure: outcome.failure, text: outcome.text };
        }
        // Aborted while it waits: the loop's first line sees that.
        await clock.sleep(waitMs, signal).catch(() => {});
      }
    },
  };
}

function textOf(outcome: ModelOutcome): string {
  return outcome.ok ? outcome.reply.text : outcome.text;
}

/** Milliseconds until the next try; undefined when there is none. */
export function retryWait(
  problem: ModelFailure,
  tries: number,
  random: () => number,
  { tries: most, longestMs }: Patience = PATIENCE,
): number | undefined {
  const { kind, retryAfterMs = 0 } = problem;
  const passing = kind === "overloaded" || kind === "rate-limited" || kind === "unreachable";
  if (!passing || tries >= most || retryAfterMs > longestMs) return undefined;
  const backOff = Math.min(FIRST_WAIT_MS * 4 ** (tries - 1), longestMs) * (0.75 + random() / 2);
  return Math.max(retryAfterMs, backOff);
}

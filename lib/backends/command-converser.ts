import type { AgentSession, Block, Converser, OpenWish, PromptEnd } from "../chat/agent-session.ts";
import type { PromptHooks, Said } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import type { ConfigOf } from "./backend-config.ts";
import { commandLine, type CommandParts, runCommandTurn, textOf } from "./command-turn.ts";
import { type ConverserParts, turnFailure } from "./converser-parts.ts";
import { programEnv } from "./program-env.ts";
import { memoryOf, newest } from "./replay.ts";

/** Of what was said, for the next turns. Characters. */
const REMEMBERED = 200_000;

interface Given extends CommandParts {
  /** Turns that share files in one folder come one after the other. */
  inTurn(
    folder: string,
    work: () => Promise<PromptEnd>,
    signal: AbortSignal,
  ): Promise<PromptEnd>;
}

/** Any program, started for each turn: all that was said goes in, its answer comes out. */
export function createCommandConverser(
  config: ConfigOf<"command">,
  parts: ConverserParts,
): Converser | { refused: string } {
  const env = programEnv(config.env, parts.env);
  if ("refused" in env) return env;
  const given = { config, parts, env, inTurn: createLanes() };
  return {
    description: `Program ${JSON.stringify(config.command[0])}`,
    open: (wish) => Promise.resolve(open(wish, given)),
  };
}

function open(wish: OpenWish, given: Given): AgentSession | { failed: TurnFailure } {
  const line = commandLine(wish, given);
  if ("problem" in line) return { failed: line.problem };
  const closing = new AbortController();
  let transcript: Pick<Said, "role" | "text">[] = [...wish.earlier?.transcript ?? []];
  let running: Promise<PromptEnd> | undefined;
  let lastWords = "";

  async function prompt(blocks: readonly Block[], hooks: PromptHooks): Promise<PromptEnd> {
    const text = blocks.map(textOf).join("\n\n");
    const signal = AbortSignal.any([hooks.signal, closing.signal]);
    const work = () => runCommandTurn(wish, { ...given, text, transcript, hooks, signal });
    const end = given.config.input === "file" || given.config.result === "file"
      ? await given.inTurn(wish.folder, work, signal)
      : await work();
    lastWords = end.kind === "failed" ? end.failure.stderr : "";
    const answer = end.text.trim() === "" ? "(no answer)" : end.text;
    const said = [{ role: "person", text }, { role: "agent", text: answer }] as const;
    transcript = newest([...transcript, ...said], REMEMBERED);
    return end;
  }

  return {
    sessionId: undefined,
    memory: memoryOf(wish.earlier),
    gone: new Promise(() => {}),
    stderr: () => lastWords,
    steer: () => Promise.resolve(false),
    options: () => [],
    choose: (option) => Promise.resolve(`The agent offers no choice "${option}"`),
    async prompt(blocks, hooks) {
      const refused = (why: string): PromptEnd => ({
        kind: "failed",
        failure: turnFailure("protocol", why),
        text: "",
      });
      if (closing.signal.aborted) return refused("The conversation was ended");
      if (running !== undefined) return refused("The agent is at another prompt");
      running = prompt(blocks, hooks).catch((error: unknown) =>
        refused(`The turn stopped: ${error instanceof Error ? error.message : error}`)
      );
      try {
        return await running;
      } finally {
        running = undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await running;
    },
  };
}

/** One after the other for each name. */
function createLanes(): Given["inTurn"] {
  const lanes = new Map<string, Promise<unknown>>();
  return async (name, work, signal) => {
    let began = false;
    const own = (lanes.get(name) ?? Promise.resolve()).then(() => {
      began = true;
      return work();
    });
    const settled = own.catch(() => {}).then(() => {
      if (lanes.get(name) === settled) lanes.delete(name);
    });
    lanes.set(name, settled);
    const { promise: left, resolve } = Promise.withResolvers<PromptEnd>();
    // Who waits need not wait to be stopped; the work sees then that it is not wanted.
    const leave = () => began || resolve({ kind: "cancelled", text: "" });
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      return await Promise.race([own, left]);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  };
}

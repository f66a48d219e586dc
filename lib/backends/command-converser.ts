import { randomUUID } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { type ChildEnd, startPiped } from "../base/piped-child.ts";
import type { AgentSession, Block, Converser, OpenWish, PromptEnd } from "../chat/agent-session.ts";
import type { PromptHooks, Said } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import type { WorkUse } from "../tasks/backend.ts";
import type { ConfigOf } from "./backend-config.ts";
import { TASK_FILE } from "./command-backend.ts";
import { fillCommand, programProblem } from "./command-line.ts";
import { type CommandOutput, createCommandOutput, howEnded } from "./command-output.ts";
import { readUsage } from "./command-usage.ts";
import { writeConfined } from "./confined-file.ts";
import { placeIn } from "./confined-path.ts";
import { conversationEnv, type ConverserParts, turnFailure } from "./converser-parts.ts";
import { endMarked, MARK } from "./end-marked.ts";
import { prepareOutputs } from "./prepare-outputs.ts";
import { type ProgramEnv, programEnv } from "./program-env.ts";
import { memoryOf, newest, replayText } from "./replay.ts";
import { readResult, RESULT_FILE } from "./result-file.ts";

/** Memory of ours is not the agent's to fill. Characters of an answer that are shown while it comes. */
const LONGEST = 200_000;
/** What was written may be on its way when the program ends. Milliseconds. */
const LEFT_MS = 1_000;
/** Of what was said, for the next turns. Characters. */
const REMEMBERED = 200_000;

interface Given {
  config: ConfigOf<"command">;
  parts: ConverserParts;
  env: ProgramEnv;
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
    const work = () => runOnce(wish, { ...given, text, transcript, hooks, signal });
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

function commandLine(
  { folder, conversation: name }: OpenWish,
  { config, parts }: Given,
): { argv: string[]; variables: Record<string, string> } | { problem: TurnFailure } {
  const { model, thinking = "off" } = parts;
  const filled = fillCommand(config.command, { folder, model, name, thinking });
  if ("refused" in filled) return { problem: turnFailure("refused", filled.refused) };
  const variables = conversationEnv(parts, folder);
  const problem = programProblem(filled.argv[0] ?? "", variables["PATH"]);
  if (problem !== undefined) return { problem: turnFailure("not-found", problem) };
  return { argv: filled.argv, variables };
}

interface Once extends Given {
  text: string;
  transcript: readonly Pick<Said, "role" | "text">[];
  hooks: PromptHooks;
  signal: AbortSignal;
}

async function runOnce(wish: OpenWish, once: Once): Promise<PromptEnd> {
  const { config, parts, env, hooks, signal } = once;
  const { folder } = wish;
  const { sandbox } = parts;
  const failed = (failure: TurnFailure, text = ""): PromptEnd => ({
    kind: "failed",
    failure,
    text,
  });
  if (signal.aborted) return { kind: "cancelled", text: "" };
  const line = commandLine(wish, once);
  if ("problem" in line) return failed(line.problem);
  const task = taskText(wish, once);
  if (config.input === "file") writeConfined(placeIn(folder), TASK_FILE, task);
  const outputs = [
    ...(config.result === "file" ? [RESULT_FILE] : []),
    ...(config.usageFile === undefined ? [] : [config.usageFile]),
  ];
  const writes = [...config.writes ?? [], ...prepareOutputs({ folder, sandbox }, outputs)];
  const { reads = [] } = config;
  const wrapped = parts.wrap(line.argv, { sandbox, folder, reads, writes });
  if ("refused" in wrapped) return failed(turnFailure("refused", wrapped.refused));
  const output = createCommandOutput(wish.hooks.log);
  const end = await runProgram(wrapped.argv, {
    folder,
    env: { ...line.variables, ...env.variables },
    input: config.input === "stdin" ? task : "",
    output,
    graceMs: parts.graceMs,
    signal,
    onText: config.result === "stdout" ? hooks.onText : hooks.onThought,
    onSign: hooks.onThought,
  });
  tellUse(wish, once);
  const partial = config.result === "stdout" ? shown(output.partial()) : "";
  if (signal.aborted) return { kind: "cancelled", text: partial };
  const problem = failureOf(end, { output, env, program: line.argv[0] ?? "" });
  if (problem !== undefined) return failed(problem, partial);
  const answer = answerOf(folder, { config, output });
  if ("text" in answer) return { kind: "done", text: answer.text };
  const stderr = env.clean(output.lastWords());
  return failed(turnFailure("nothing-said", answer.none, { stderr }), partial);
}

function taskText({ instructions }: OpenWish, { text, transcript }: Once): string {
  const before = replayText(transcript);
  return [
    instructions.trim(),
    before === "" ? "" : "This is what was said before in this conversation, oldest first, one " +
      `JSON object a line:\n${before}`,
    before === "" ? text : `Now answer this:\n${text}`,
  ].filter((part) => part !== "").join("\n\n");
}

function textOf(block: Block): string {
  return block.type === "text" ? block.text : "[A picture was attached; this agent takes none]";
}

/** Runs it to its end; nothing of it is left then, nor when this process dies meanwhile. */
async function runProgram(
  argv: readonly string[],
  run: {
    folder: string;
    env: Readonly<Record<string, string>>;
    input: string;
    output: CommandOutput;
    graceMs: number | undefined;
    signal: AbortSignal;
    onText(text: string): void;
    onSign(): void;
  },
): Promise<ChildEnd> {
  const { output, signal } = run;
  const mark = randomUUID();
  const decoder = new TextDecoder();
  let text = "";
  const child = startPiped(argv, {
    cwd: run.folder,
    env: { ...run.env, [MARK]: mark },
    guarded: true,
    onOutput(bytes) {
      output.add("stdout", bytes);
      if (text.length >= LONGEST) return run.onSign();
      text += decoder.decode(bytes, { stream: true });
      run.onText(shown(text));
    },
    onErrorOutput(bytes) {
      output.add("stderr", bytes);
      run.onSign();
    },
    ...(run.graceMs === undefined ? {} : { graceMs: run.graceMs }),
  });
  const stop = () => void child.end();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  else {
    child.write(run.input);
    child.closeInput();
  }
  const end = await child.ended;
  signal.removeEventListener("abort", stop);
  // Whoever shares its outputs is gone then, and all that it wrote is here.
  await endMarked(mark);
  await within(child.drained, LEFT_MS);
  await child.end();
  return end;
}

/** One that hid itself may hold the outputs for ever. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}

/** As people would have seen it on a screen without colours. */
function shown(text: string): string {
  return stripVTControlCharacters(text).replace(/\r+\n/g, "\n").trim();
}

function failureOf(
  end: ChildEnd,
  { output, env, program }: { output: CommandOutput; env: ProgramEnv; program: string },
): TurnFailure | undefined {
  const name = JSON.stringify(program);
  if (end.spawnError !== undefined) {
    return turnFailure("not-found", `Cannot start ${name}: ${end.spawnError}`);
  }
  if (end.exitCode === 0) return undefined;
  const message = env.clean(`${name} ${howEnded(end, output.lastLine())}`);
  return turnFailure("gone", message, { stderr: env.clean(output.lastWords()) });
}

function answerOf(
  folder: string,
  { config, output }: Pick<Once, "config"> & { output: CommandOutput },
): { text: string } | { none: string } {
  if (config.result === "file") {
    const result = readResult(folder);
    return "text" in result
      ? result
      : { none: `The program ended well, but ${RESULT_FILE} ${result.none}` };
  }
  const whole = output.whole();
  if (whole === undefined) {
    return { none: "The program ended well, but what it wrote is too long or no text" };
  }
  const text = shown(whole);
  return text === "" ? { none: "The program ended well, but wrote nothing" } : { text };
}

function tellUse({ folder, hooks: { log } }: OpenWish, { config, parts, hooks }: Once): void {
  const { usageFile: file } = config;
  if (file === undefined) return;
  const told = readUsage({ folder, file, model: parts.model });
  if ("problem" in told) {
    return log(`\n[herd: what this used is not known, ${file} ${told.problem}]\n`);
  }
  const [first] = told.uses;
  if (first === undefined) return;
  const sum = (of: (use: WorkUse) => number) => told.uses.reduce((all, one) => all + of(one), 0);
  hooks.onUse({
    model: first.model,
    input: sum((one) => one.input),
    output: sum((one) => one.output),
    cacheRead: sum((one) => one.cacheRead),
    cacheWrite: sum((one) => one.cacheWrite),
    usd: told.uses.some(({ usd }) => usd === undefined) ? null : sum(({ usd }) => usd ?? 0),
  });
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

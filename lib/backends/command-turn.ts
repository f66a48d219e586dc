import { stripVTControlCharacters } from "node:util";
import type { ChildEnd } from "../base/piped-child.ts";
import type { Block, OpenWish, PromptEnd, PromptHooks, Said } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import type { WorkUse } from "../tasks/backend.ts";
import type { ConfigOf } from "./backend-config.ts";
import { TASK_FILE } from "./command-backend.ts";
import { fillCommand, programProblem } from "./command-line.ts";
import { type CommandOutput, createCommandOutput, howEnded } from "./command-output.ts";
import { runProgram } from "./command-run.ts";
import { readUsage } from "./command-usage.ts";
import { writeConfined } from "./confined-file.ts";
import { placeIn } from "./confined-path.ts";
import { conversationEnv, type ConverserParts, turnFailure } from "./converser-parts.ts";
import { prepareOutputs } from "./prepare-outputs.ts";
import type { ProgramEnv } from "./program-env.ts";
import { replayText } from "./replay.ts";
import { readResult, RESULT_FILE } from "./result-file.ts";

export interface CommandParts {
  config: ConfigOf<"command">;
  parts: ConverserParts;
  env: ProgramEnv;
}

/** One turn of a conversation. */
export interface CommandTurn extends CommandParts {
  /** What a person says now. */
  text: string;
  /** What was said before. */
  transcript: readonly Pick<Said, "role" | "text">[];
  hooks: PromptHooks;
  signal: AbortSignal;
}

/** Runs the program to its end, or until the signal. */
export async function runCommandTurn(wish: OpenWish, once: CommandTurn): Promise<PromptEnd> {
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
    onText: config.result === "stdout" ? (text) => hooks.onText(shown(text)) : hooks.onThought,
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

function taskText({ instructions }: OpenWish, { text, transcript }: CommandTurn): string {
  const before = replayText(transcript);
  return [
    instructions.trim(),
    before === "" ? "" : "This is what was said before in this conversation, oldest first, one " +
      `JSON object a line:\n${before}`,
    before === "" ? text : `Now answer this:\n${text}`,
  ].filter((part) => part !== "").join("\n\n");
}

export function textOf(block: Block): string {
  return block.type === "text" ? block.text : "[A picture was attached; this agent takes none]";
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
  { config, output }: Pick<CommandTurn, "config"> & { output: CommandOutput },
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

function tellUse(
  { folder, hooks: { log } }: OpenWish,
  { config, parts, hooks }: CommandTurn,
): void {
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

/** The program and its environment; else why it cannot be started. */
export function commandLine(
  { folder, conversation: name }: OpenWish,
  { config, parts }: Pick<CommandParts, "config" | "parts">,
): { argv: string[]; variables: Record<string, string> } | { problem: TurnFailure } {
  const { model, thinking = "off" } = parts;
  const filled = fillCommand(config.command, { folder, model, name, thinking });
  if ("refused" in filled) return { problem: turnFailure("refused", filled.refused) };
  const variables = conversationEnv(parts, folder);
  const problem = programProblem(filled.argv[0] ?? "", variables["PATH"]);
  if (problem !== undefined) return { problem: turnFailure("not-found", problem) };
  return { argv: filled.argv, variables };
}

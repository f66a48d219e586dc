import { join } from "node:path";
import { explain } from "../base/explain.ts";
import { readIfThere, replaceFile } from "../base/files.ts";
import type { SessionEnd } from "../base/session.ts";
import { signalOf } from "../sweep/ending.ts";
import type { Backend, Work, WorkEnd } from "../tasks/backend.ts";
import type { ConfigOf } from "./backend-config.ts";
import type { BackendParts } from "./backend-parts.ts";
import { fillCommand, programProblem } from "./command-line.ts";
import { type CommandOutput, createCommandOutput, howEnded } from "./command-output.ts";
import { readUsage } from "./command-usage.ts";
import { namedFiles } from "./named-files.ts";
import { prepareOutputs } from "./prepare-outputs.ts";
import { type ProgramEnv, programEnv } from "./program-env.ts";
import { createProgress } from "./progress.ts";
import { createPrograms } from "./programs.ts";
import { readResult, RESULT_FILE } from "./result-file.ts";

export const TASK_FILE = "TASK.txt";
/** What the program leaves running has so long to end by itself. */
const LEFT_MS = 2_000;

/** Any program: the task goes in by a file, the answer comes out by a file or standard output. */
export function createCommandBackend(
  config: ConfigOf<"command">,
  parts: BackendParts,
): Backend | { refused: string } {
  const env = programEnv(config.env, parts.env);
  if ("refused" in env) return env;
  return {
    description: `Program ${JSON.stringify(config.command[0])}`,
    async run(work) {
      const progress = createProgress(work.onProgress, parts.clock);
      try {
        progress.at("running");
        return await runCommand(work, { config, parts, env, alive: () => progress.at("running") });
      } catch (error) {
        const message = `The attempt stopped: ${explain(error, "terminal").split("\n")[0]}`;
        return { kind: "failed", cause: "agent", message, passing: true, partial: "" };
      } finally {
        progress.stop();
      }
    },
  };
}

interface Given {
  config: ConfigOf<"command">;
  parts: BackendParts;
  env: ProgramEnv;
  alive(): void;
}

async function runCommand(work: Work, { config, parts, env, alive }: Given): Promise<WorkEnd> {
  if (work.signal.aborted) return { kind: "aborted", partial: "" };
  const filled = fillCommand(config.command, work);
  if ("refused" in filled) return refused(filled.refused);
  const { argv } = filled;
  const problem = programProblem(argv[0] ?? "", work.env["PATH"]);
  if (problem !== undefined) return refused(problem);
  const task = join(work.folder, TASK_FILE);
  if (readIfThere(task) !== work.prompt) replaceFile(task, work.prompt);
  const outputs = [
    ...(config.result === "file" ? [RESULT_FILE] : []),
    ...(config.usageFile === undefined ? [] : [config.usageFile]),
  ];
  const writes = [...config.writes ?? [], ...prepareOutputs(work, outputs)];
  const output = createCommandOutput(work.log);
  const programs = createPrograms({ wrap: parts.wrap, graceMs: parts.graceMs, work });
  const end = await programs.run({
    argv,
    env: env.variables,
    reads: [...config.reads ?? [], ...namedFiles(config.command)],
    writes,
    ...(config.input === "stdin" ? { input: task } : {}),
    leftMs: LEFT_MS,
    signal: work.signal,
    onOutput(stream, bytes) {
      alive();
      output.add(stream, bytes);
    },
  });
  if ("refused" in end) return refused(end.refused);
  await tellUsage(work, config.usageFile);
  return endOf(end, { work, config, env, output, program: argv[0] ?? "" });
}

async function tellUsage(work: Work, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const told = readUsage({ folder: work.folder, file, model: work.model });
  if ("problem" in told) {
    work.log(`\n[herd: what this used is not known, ${file} ${told.problem}]\n`);
    return;
  }
  for (const use of told.uses) await work.onUse(use);
}

/** EX_TEMPFAIL of sysexits.h: "try again later". */
const TEMPORARY = 75;

function endOf(
  end: SessionEnd,
  { work, config, env, output, program }: {
    work: Work;
    config: ConfigOf<"command">;
    env: ProgramEnv;
    output: CommandOutput;
    program: string;
  },
): WorkEnd {
  const partial = output.partial();
  if (work.signal.aborted) return { kind: "aborted", partial };
  const name = JSON.stringify(program);
  if (end.spawnError !== undefined) {
    return refused(`Cannot start ${name}: ${end.spawnError}`);
  }
  // What confines it hands a signal on as a code, as shells do.
  const signal = end.signal ??
    (work.sandbox.level === "none" ? undefined : signalOf(end.exitCode));
  // A program that says no itself says it again; one that was ended may fare better.
  const passing = signal !== undefined || end.exitCode === TEMPORARY;
  const failed = (cause: "agent" | "no-result", message: string) =>
    ({ kind: "failed", cause, message, passing, partial }) as const;
  if (end.exitCode !== 0) {
    const how = howEnded({ exitCode: end.exitCode, signal }, output.lastLine());
    return failed("agent", env.clean(`${name} ${how}`));
  }
  if (config.result === "file") {
    const result = readResult(work.folder);
    return "text" in result
      ? { kind: "done", result: result.text }
      : failed("no-result", `${name} ended well, but ${RESULT_FILE} ${result.none}`);
  }
  const text = output.whole();
  if (text === undefined) {
    return failed("no-result", `${name} ended well, but what it wrote is too long or no text`);
  }
  return text.trim() === ""
    ? failed("no-result", `${name} ended well, but wrote nothing`)
    : { kind: "done", result: text };
}

function refused(message: string): WorkEnd {
  return { kind: "failed", cause: "refused", message, passing: false, partial: "" };
}

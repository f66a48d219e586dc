import { randomUUID } from "node:crypto";
import { explain } from "../base/explain.ts";
import type { Backend, Work, WorkEnd } from "../tasks/backend.ts";
import { type AcpGiven, type AcpParts, converse } from "./acp-converse.ts";
import { ACP_BOUNDS, startAcpProcess } from "./acp-stream.ts";
import type { ConfigOf } from "./backend-config.ts";
import { fillCommand, programProblem } from "./command-line.ts";
import { endMarked, MARK } from "./end-marked.ts";
import { namedFiles } from "./named-files.ts";
import { prepareOutputs } from "./prepare-outputs.ts";
import { programEnv } from "./program-env.ts";
import { createProgress } from "./progress.ts";
import { RESULT_FILE } from "./result-file.ts";

/** Any program that speaks the Agent Client Protocol on its standard input and output. */
export function createAcpBackend(
  config: ConfigOf<"acp">,
  parts: AcpParts,
): Backend | { refused: string } {
  const env = programEnv(config.env, parts.env);
  if ("refused" in env) return env;
  return {
    description: `ACP agent ${JSON.stringify(config.command[0])}`,
    async run(work) {
      const progress = createProgress(work.onProgress, parts.clock);
      try {
        progress.at("starting");
        return await runAgent(work, { config, parts, env, at: progress.at });
      } catch (error) {
        const message = `The attempt stopped: ${explain(error, "terminal").split("\n")[0]}`;
        return {
          kind: "failed",
          cause: "agent",
          message: env.clean(message),
          passing: true,
          partial: "",
        };
      } finally {
        progress.stop();
      }
    },
  };
}

async function runAgent(work: Work, given: AcpGiven): Promise<WorkEnd> {
  const { config, parts, env } = given;
  if (work.signal.aborted) return { kind: "aborted", partial: "" };
  const filled = fillCommand(config.command, work);
  if ("refused" in filled) return refused(filled.refused);
  const problem = programProblem(filled.argv[0] ?? "", work.env["PATH"]);
  if (problem !== undefined) return refused(problem);
  const { sandbox, folder } = work;
  const writes = [...config.writes ?? [], ...prepareOutputs(work, [RESULT_FILE])];
  const reads = [...config.reads ?? [], ...namedFiles(config.command)];
  const wrapped = parts.wrap(filled.argv, { sandbox, folder, reads, writes });
  if ("refused" in wrapped) return refused(wrapped.refused);
  const mark = randomUUID();
  const child = startAcpProcess(wrapped.argv, {
    cwd: folder,
    env: { ...work.env, ...env.variables, [MARK]: mark },
    graceMs: parts.graceMs,
    bounds: parts.bounds ?? ACP_BOUNDS,
    log: work.log,
  });
  try {
    return await converse(work, child, given);
  } finally {
    await child.end();
    await endMarked(mark);
  }
}

function refused(message: string): WorkEnd {
  return { kind: "failed", cause: "refused", message, passing: false, partial: "" };
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { findProgram } from "../base/find-program.ts";
import type { LineRunner, LinesEnd } from "../base/process-lines.ts";
import type { AgentSettings } from "../sweep/config.ts";
import type { Agent, ModelFailure, ThinkRequest, Thought } from "./agent.ts";
import {
  cliArguments,
  cliEnvironment,
  type CliFiles,
  cliFiles,
  cliFileTexts,
  cliPrompt,
} from "./claude-cli-arguments.ts";
import { readCliEvent } from "./claude-cli-events.ts";
import { createCliTurn } from "./claude-cli-turn.ts";
import { describeCredentials, type Environment } from "./credentials.ts";
import { failure } from "./model-failure.ts";
import { TOOL_LIMIT_MS } from "./run-tools.ts";
import { startWatchdog } from "./watchdog.ts";

export interface ClaudeCliParts {
  settings: AgentSettings;
  env: Environment;
  clock: Clock;
  run: LineRunner;
  /** What starts our tools as an MCP server on stdio: `[".../herd", "mcp", "/path/of/sweep"]`. No secrets. */
  mcpCommand: readonly string[];
  toolLimitMs?: number;
}

/** A turn that never comes to an end is ended. */
const LONGEST_TURN_MS = 60 * 60_000;

/**
 * The user's own `claude` as an agent: it thinks and calls our tools over MCP, nothing else.
 * Its tools are those that `mcpCommand` serves, whatever `request.tools` holds. What it says
 * it costs is counted, although a subscription is not billed by it.
 */
export function createClaudeCliAgent(parts: ClaudeCliParts): Agent {
  const { settings, env } = parts;
  const model = settings.model ?? "claude-cli";
  const credentials = describeCredentials(env, { ...settings, backend: "claude-cli" });
  return {
    description: `${credentials.text}, model ${settings.model ?? "as it is set there"}`,
    model,
    think: (request) => think(parts, model, request),
  };
}

async function think(
  parts: ClaudeCliParts,
  model: string,
  request: ThinkRequest,
): Promise<Thought> {
  if (request.signal.aborted) return { kind: "aborted", text: "" };
  const program = findProgram("claude", parts.env.PATH);
  if (program === undefined) return failed(missing());
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), "herd-claude-"));
    const files = cliFiles(folder);
    for (const [path, text] of cliFileTexts(files, request, parts.mcpCommand)) {
      await writeFile(path, text, { mode: 0o600 });
    }
    return await runTurn(parts, { model, program, files }, request);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failed(failure("unreadable", `Cannot run the "claude" command: ${why}`));
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

async function runTurn(
  parts: ClaudeCliParts,
  { model, program, files }: { model: string; program: string; files: CliFiles },
  request: ThinkRequest,
): Promise<Thought> {
  const { settings, clock } = parts;
  const ended = new AbortController();
  const stop = () => ended.abort();
  request.signal.addEventListener("abort", stop, { once: true });
  let bookkeeping = Promise.resolve();
  let unbooked: string | undefined;
  const turn = createCliTurn(request, {
    model,
    prices: settings.prices,
    now: () => clock.now(),
    stop,
    onUse: (use) => {
      bookkeeping = bookkeeping.then(() => request.onUse(use)).catch((error) => {
        // Money that nobody counts is not spent any further.
        unbooked = error instanceof Error ? error.message : String(error);
        stop();
      });
    },
  });
  const silenceMs = settings.timeoutSeconds * 1000;
  const toolLimitMs = parts.toolLimitMs ?? TOOL_LIMIT_MS;
  const watchdog = startWatchdog({
    clock,
    silenceMs: () => turn.inTool() ? silenceMs + toolLimitMs : silenceMs,
    totalMs: LONGEST_TURN_MS,
    onExpired: stop,
  });
  try {
    const end = await parts.run([program, ...cliArguments(settings, request, files)], {
      cwd: files.folder,
      env: cliEnvironment(parts.env, toolLimitMs),
      input: cliPrompt(request.prompt),
      signal: ended.signal,
      onLine: (line) => {
        watchdog.alive();
        const event = readCliEvent(line);
        if (event !== undefined) turn.add(event);
      },
    });
    turn.bookRest();
    await bookkeeping;
    if (unbooked !== undefined) {
      const message = `Cannot record what the model cost: ${unbooked}`;
      return failed(failure("rejected", message), turn.said());
    }
    return thoughtOf(turn, end, { request, expired: watchdog.expired(), silenceMs });
  } finally {
    watchdog.stop();
    request.signal.removeEventListener("abort", stop);
  }
}

function thoughtOf(
  turn: ReturnType<typeof createCliTurn>,
  end: LinesEnd,
  { request, expired, silenceMs }: {
    request: ThinkRequest;
    expired: "silence" | "total" | undefined;
    silenceMs: number;
  },
): Thought {
  if (turn.finished()) return turn.thought(end);
  if (request.signal.aborted) return { kind: "aborted", text: turn.said() };
  if (end.spawnError !== undefined) {
    return failed(failure("auth", `Cannot start the "claude" command: ${end.spawnError}`));
  }
  if (expired !== undefined) {
    const message = expired === "silence"
      ? `The "claude" command was silent for ${silenceMs / 1000} s`
      : `The "claude" command was not done after ${LONGEST_TURN_MS / 60_000} min`;
    return failed(failure("timeout", message), turn.said());
  }
  return turn.thought(end);
}

function missing(): ModelFailure {
  const message = 'Cannot start the "claude" command: it is not on the PATH; install Claude Code ' +
    'and log in with "claude", or set agent.backend to api or none';
  return failure("auth", message);
}

function failed(problem: ModelFailure, text = ""): Thought {
  return { kind: "failed", failure: problem, text };
}

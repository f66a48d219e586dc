import { randomUUID } from "node:crypto";
import type { ClientConnection } from "@agentclientprotocol/sdk";
import type { AgentSession, Converser, OpenWish } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import type { Sandbox } from "../tasks/sandbox.ts";
import { answering } from "./acp-answering.ts";
import { acpFailure, greet, openSession } from "./acp-dialogue.ts";
import { createAcpPrompts } from "./acp-prompts.ts";
import { optionsOf, stepOf } from "./acp-options.ts";
import { type AcpProcess, startAcpProcess } from "./acp-stream.ts";
import type { ConfigOf } from "./backend-config.ts";
import type { BackendParts } from "./backend-parts.ts";
import { fillCommand, programProblem } from "./command-line.ts";
import { endMarked, MARK } from "./end-marked.ts";
import { type ProgramEnv, programEnv } from "./program-env.ts";

export interface ConverserParts extends BackendParts {
  sandbox: Sandbox;
  /** Its whole environment, beside what the configuration names. */
  agentEnv(folder: string): Readonly<Record<string, string>>;
  /** From its start to its session: `npx` may load it from the network first. Milliseconds. */
  startLimitMs?: number;
  /** What an agent that was told to cancel may take to say so. Milliseconds. */
  cancelMs?: number;
}

const START_LIMIT_MS = 5 * 60_000;
const CANCEL_MS = 5_000;
/** A conversation may last for weeks; a line may not. */
const BOUNDS = { line: 32 * 1024 * 1024, total: Infinity, junk: 1_000 };

/** Any program that speaks the Agent Client Protocol, one process for each conversation. */
export function createAcpConverser(
  config: ConfigOf<"acp">,
  parts: ConverserParts,
): Converser | { refused: string } {
  const env = programEnv(config.env, parts.env);
  if ("refused" in env) return env;
  return {
    description: `ACP agent ${JSON.stringify(config.command[0])}`,
    async open(wish) {
      const { folder } = wish;
      const work = { folder, model: undefined, name: wish.conversation, thinking: "off" } as const;
      const filled = fillCommand(config.command, work);
      if ("refused" in filled) return { failed: failure("refused", filled.refused) };
      const variables = { ...parts.agentEnv(folder), ...env.variables };
      const problem = programProblem(filled.argv[0] ?? "", variables["PATH"]);
      if (problem !== undefined) return { failed: failure("not-found", problem) };
      const { reads = [], writes = [] } = config;
      const wrapped = parts.wrap(filled.argv, { sandbox: parts.sandbox, folder, reads, writes });
      if ("refused" in wrapped) return { failed: failure("refused", wrapped.refused) };
      const mark = randomUUID();
      const child = startAcpProcess(wrapped.argv, {
        cwd: folder,
        env: { ...variables, [MARK]: mark },
        graceMs: parts.graceMs,
        bounds: BOUNDS,
        log: wish.hooks.log,
        guarded: true,
      });
      const end = async () => {
        await child.end();
        await endMarked(mark);
      };
      const opened = await begin(wish, { child, config, parts, env, end });
      if ("failed" in opened) await end();
      return opened;
    },
  };
}

interface Begun {
  child: AcpProcess;
  config: ConfigOf<"acp">;
  parts: ConverserParts;
  env: ProgramEnv;
  end(): Promise<void>;
}

async function begin(
  wish: OpenWish,
  begun: Begun,
): Promise<AgentSession | { failed: TurnFailure }> {
  const { child, parts, env } = begun;
  const own: { sessionId?: string } = {};
  const prompts = createAcpPrompts({ sessionId: () => own.sessionId, config: begun.config });
  child.listen(prompts.hear);
  const connection = answering(wish, parts.sandbox, prompts.signal).connect(child.stream);
  const late = new AbortController();
  const aborted = AbortSignal.any([wish.signal, late.signal]);
  const limitMs = parts.startLimitMs ?? START_LIMIT_MS;
  parts.clock.sleep(limitMs, late.signal).then(() => late.abort("late"), () => {});
  const stopped = new Promise<TurnFailure>((resolve) => {
    const stop = () =>
      resolve(
        wish.signal.aborted
          ? failure("gone", "The agent's start was stopped")
          : failure("timeout", `The agent started no session within ${limitMs / 1000} s`),
      );
    aborted.addEventListener("abort", () => late.signal.reason !== "done" && stop());
    if (aborted.aborted) stop();
  });
  const gone = child.over.then((why) => env.clean(`The agent is gone: ${why}`));
  const dead = gone.then((why) => ({ ...failure("gone", why), stderr: child.lastWords() }));
  const started = start(connection, wish, begun, prompts.heard).catch((error: unknown) => ({
    failed: acpFailure(error, { stderr: child.lastWords(), clean: env.clean }),
  }));
  const first = await Promise.race([
    started,
    Promise.race([stopped, dead]).then((failed) => ({ failed })),
  ]);
  late.abort("done");
  if ("failed" in first) {
    return { failed: { ...first.failed, stderr: env.clean(child.lastWords()) } };
  }
  const { session, memory, abilities } = first;
  const { sessionId } = session;
  own.sessionId = sessionId;
  let options = optionsOf(session);
  let isFirst = memory !== "loaded";
  return {
    sessionId,
    memory,
    gone,
    stderr: () => env.clean(child.lastWords()),
    steer: () => Promise.resolve(false),
    options: () => options,
    async choose(option, value) {
      const step = stepOf(session, option, value);
      if ("problem" in step) return step.problem;
      try {
        await connection.agent.request<unknown>(step.method, step.params);
      } catch (error) {
        return acpFailure(error, { stderr: "", clean: env.clean }).message;
      }
      options = options.map((one) => one.id === option ? { ...one, current: value } : one);
      return undefined;
    },
    async prompt(blocks, hooks) {
      const before = isFirst ? [wish.instructions, replayOf(wish, memory)] : [];
      isFirst = false;
      return await prompts.run({
        agent: connection.agent,
        blocks: [
          ...before.filter((text) => text.trim() !== "")
            .map((text) => ({ type: "text", text }) as const),
          ...blocks,
        ],
        images: abilities.images,
        hooks,
        gone: dead,
        clock: parts.clock,
        cancelMs: parts.cancelMs ?? CANCEL_MS,
        // What does not stop when it is told to is ended: it must not speak into the next turn.
        onDeaf: begun.end,
        failureOf: (error) => acpFailure(error, { stderr: child.lastWords(), clean: env.clean }),
        clean: env.clean,
      });
    },
    async [Symbol.asyncDispose]() {
      connection.close();
      await begun.end();
    },
  };
}

async function start(
  connection: ClientConnection,
  wish: OpenWish,
  { parts }: Begun,
  heard: () => number,
) {
  const { agent } = connection;
  const abilities = await greet(agent, parts.sandbox.level !== "read-only");
  if ("problem" in abilities) return { failed: failure("protocol", abilities.problem) };
  const { folder, earlier } = wish;
  const opened = await openSession(agent, { folder, earlier, abilities, heard });
  if ("problem" in opened) return { failed: failure("protocol", opened.problem) };
  return { ...opened, abilities };
}

const LONGEST_REPLAY = 60_000;

/** What was said before, for an agent that does not know it; the newest where not all has room. */
function replayOf({ earlier }: OpenWish, memory: AgentSession["memory"]): string {
  if (memory !== "replayed" || earlier === undefined) return "";
  const lines = earlier.transcript.map(({ role, text }) =>
    JSON.stringify({ role, text: text.slice(0, LONGEST_REPLAY / 2) })
  );
  let size = 0;
  const kept = lines.toReversed().filter((line) => (size += line.length) <= LONGEST_REPLAY);
  return "You were restarted. This is what was said before in this conversation, oldest first, " +
    `one JSON object a line; go on from there.\n${kept.toReversed().join("\n")}`;
}

function failure(kind: TurnFailure["kind"], message: string): TurnFailure {
  return { kind, message, code: undefined, stderr: "", hint: undefined };
}

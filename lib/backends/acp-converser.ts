import { randomUUID } from "node:crypto";
import type { ClientConnection } from "@agentclientprotocol/sdk";
import type { AgentSession, Converser, OpenWish } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { answering } from "./acp-answering.ts";
import { type AcpAbilities, acpFailure, greet, type Opened, openSession } from "./acp-dialogue.ts";
import { createAcpPrompts } from "./acp-prompts.ts";
import { afterStep, optionsOf, stepOf, withTold } from "./acp-options.ts";
import { type AcpSession, modelOf, stepsOf } from "./acp-session.ts";
import { type AcpProcess, startAcpProcess } from "./acp-stream.ts";
import type { ConfigOf } from "./backend-config.ts";
import { fillCommand, programProblem } from "./command-line.ts";
import {
  conversationEnv,
  type ConverserParts,
  type ToolOffer,
  turnFailure,
} from "./converser-parts.ts";
import { endMarked, MARK } from "./end-marked.ts";
import { type ProgramEnv, programEnv } from "./program-env.ts";
import { replayText } from "./replay.ts";

const START_LIMIT_MS = 5 * 60_000;
const CANCEL_MS = 5_000;
/** One that floods is in nobody else's way. */
const BYTES_PER_SECOND = 8 * 1024 * 1024;
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
      const { model, thinking = "off" } = parts;
      const work = { folder, model, name: wish.conversation, thinking };
      const filled = fillCommand(config.command, work);
      if ("refused" in filled) return { failed: turnFailure("refused", filled.refused) };
      const variables = { ...conversationEnv(parts, folder), ...env.variables };
      const problem = programProblem(filled.argv[0] ?? "", variables["PATH"]);
      if (problem !== undefined) return { failed: turnFailure("not-found", problem) };
      const tools = parts.tools?.(wish) ?? [];
      const offer = tools.length === 0 ? undefined : await parts.offer?.(tools);
      const reads = [...config.reads ?? [], ...offer?.reads ?? []];
      const { writes = [] } = config;
      const wrapped = parts.wrap(filled.argv, { sandbox: parts.sandbox, folder, reads, writes });
      if ("refused" in wrapped) {
        offer?.[Symbol.dispose]();
        return { failed: turnFailure("refused", wrapped.refused) };
      }
      const mark = randomUUID();
      const child = startAcpProcess(wrapped.argv, {
        cwd: folder,
        env: { ...variables, [MARK]: mark },
        graceMs: parts.graceMs,
        bounds: BOUNDS,
        log: (text) => wish.hooks.log(env.clean(text)),
        guarded: true,
        bytesPerSecond: BYTES_PER_SECOND,
      });
      const end = async () => {
        await child.end();
        await endMarked(mark);
        offer?.[Symbol.dispose]();
      };
      const names = offer === undefined ? [] : tools.map(({ name }) => name);
      const opened = await begin(wish, { child, config, parts, env, offer, names, end });
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
  /** herd's own tools, and their names. */
  offer: ToolOffer | undefined;
  names: readonly string[];
  end(): Promise<void>;
}

async function begin(
  wish: OpenWish,
  begun: Begun,
): Promise<AgentSession | { failed: TurnFailure }> {
  const { child, parts, env } = begun;
  const own: { session?: AcpSession } = {};
  const prompts = createAcpPrompts({
    sessionId: () => own.session?.sessionId,
    model: () => own.session && modelNow(own.session, parts),
    prices: parts.prices ?? {},
    onOptions(update) {
      if (own.session !== undefined) own.session = withTold(own.session, update);
    },
  });
  child.listen(prompts.hear);
  const connection = answering(wish, parts.sandbox, begun.names, prompts).connect(child.stream);
  const late = new AbortController();
  const aborted = AbortSignal.any([wish.signal, late.signal]);
  const limitMs = parts.startLimitMs ?? START_LIMIT_MS;
  parts.clock.sleep(limitMs, late.signal).then(() => late.abort("late"), () => {});
  const stopped = new Promise<TurnFailure>((resolve) => {
    const stop = () =>
      resolve(
        wish.signal.aborted
          ? turnFailure("gone", "The agent's start was stopped")
          : turnFailure("timeout", `The agent started no session within ${limitMs / 1000} s`),
      );
    aborted.addEventListener("abort", () => late.signal.reason !== "done" && stop());
    if (aborted.aborted) stop();
  });
  const gone = child.over.then((why) => env.clean(`The agent is gone: ${why}`));
  const dead = gone.then((why) =>
    turnFailure("gone", why, { stderr: env.clean(child.lastWords()) })
  );
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
  own.session = session;
  const sessionNow = () => own.session ?? session;
  let isFirst = memory !== "loaded";
  return {
    sessionId,
    memory,
    gone,
    stderr: () => env.clean(child.lastWords()),
    steer: () => Promise.resolve(false),
    options: () => optionsOf(sessionNow()),
    async choose(option, value) {
      const step = stepOf(sessionNow(), option, value);
      if ("problem" in step) return step.problem;
      const took = connection.agent.request<unknown>(step.method, step.params).then(
        (told) => {
          own.session = withTold(afterStep(sessionNow(), step), told);
          return undefined;
        },
        (error: unknown) => acpFailure(error, { stderr: "", clean: env.clean }).message,
      );
      return await Promise.race([took, gone]);
    },
    async prompt(blocks, hooks) {
      const before = isFirst ? [wish.instructions, replayOf(wish, memory)] : [];
      const end = await prompts.run({
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
        async onDeaf() {
          await begun.end();
          await gone;
        },
        failureOf: (error) => acpFailure(error, { stderr: child.lastWords(), clean: env.clean }),
      });
      // What failed may not have come to the agent's ears.
      if (end.kind !== "failed") isFirst = false;
      return end;
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
  { parts, config, offer }: Begun,
  heard: (session: string) => boolean,
): Promise<
  { failed: TurnFailure } | (Opened & { abilities: AcpAbilities })
> {
  const { agent } = connection;
  const abilities = await greet(agent, parts.sandbox.level !== "read-only");
  if ("problem" in abilities) return { failed: turnFailure("protocol", abilities.problem) };
  const { folder, earlier } = wish;
  const opened = await openSession(agent, {
    ...{ folder, earlier, abilities, heard },
    servers: offer === undefined ? [] : [offer.server],
  });
  if ("problem" in opened) return { failed: turnFailure("protocol", opened.problem) };
  const steps = stepsOf(opened.session, {
    // A model in the command line is chosen by it.
    model: config.command.some((word) => word.includes("{model}")) ? undefined : parts.model,
    modelOption: config.modelOption,
    mode: config.mode,
    thinking: parts.thinking ?? "",
  });
  if ("refused" in steps) return { failed: turnFailure("refused", steps.refused) };
  let { session } = opened;
  for (const step of steps) {
    const told = await agent.request<unknown>(step.method, step.params);
    session = withTold(afterStep(session, step), told);
  }
  return { ...opened, session, abilities };
}

function modelNow(session: AcpSession, { model }: ConverserParts): string | undefined {
  const chosen = optionsOf(session).find(({ category }) => category === "model")?.current;
  return chosen ?? modelOf(session) ?? model;
}

/** What was said before, for an agent that does not know it; the newest where not all has room. */
function replayOf({ earlier }: OpenWish, memory: AgentSession["memory"]): string {
  const said = replayText(earlier?.transcript ?? []);
  if (memory !== "replayed" || said === "") return "";
  return "You were restarted. This is what was said before in this conversation, oldest first, " +
    `one JSON object a line; go on from there.\n${said}`;
}

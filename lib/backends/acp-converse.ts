import type { ClientConnection } from "@agentclientprotocol/sdk";
import type { Clock } from "../base/clock.ts";
import type { Work, WorkEnd, WorkUse } from "../tasks/backend.ts";
import { type AcpSession, modelOf } from "./acp-session.ts";
import type { AcpBounds, AcpProcess } from "./acp-stream.ts";
import { createAcpClient, type Talk, talk } from "./acp-talk.ts";
import { type AcpUpdates, acpUpdateSchema, createAcpUpdates } from "./acp-updates.ts";
import { createAcpUsage } from "./acp-usage.ts";
import type { ConfigOf } from "./backend-config.ts";
import type { BackendParts } from "./backend-parts.ts";
import type { ProgramEnv } from "./program-env.ts";
import { readResult, RESULT_FILE } from "./result-file.ts";

/** From its start to its session: `npx` may load it from the network first. */
const START_LIMIT_MS = 5 * 60_000;
/** What an agent that was told to cancel may still say, such as what it used. */
const CANCEL_MS = 2_000;

export interface AcpParts extends BackendParts {
  bounds?: AcpBounds;
  startLimitMs?: number;
}

export interface AcpGiven {
  config: ConfigOf<"acp">;
  parts: AcpParts;
  env: ProgramEnv;
  at(phase: string): void;
}

/** What ended a conversation from outside. */
type Stop = { kind: "aborted" } | { kind: "over"; why: string } | { kind: "budget" | "slow" };

/** The one conversation with a program that runs; its end is the attempt's. */
export async function converse(
  work: Work,
  child: AcpProcess,
  { config, parts, env, at }: AcpGiven,
): Promise<WorkEnd> {
  const updates = createAcpUpdates({ log: work.log, at });
  const books = createBooks(work);
  const stop = Promise.withResolvers<Stop>();
  const done = new AbortController();
  let session: AcpSession | undefined;
  const usage = createAcpUsage(() =>
    work.model ?? (session && modelOf(session)) ?? config.command[0] ?? "unknown"
  );
  child.listen((params) => {
    const read = acpUpdateSchema.safeParse(params);
    if (!read.success || read.data.sessionId !== session?.sessionId) return;
    const { update } = read.data;
    updates.add(update);
    if (update.sessionUpdate !== "usage_update") return;
    books.tell(usage.addCost(update.cost));
    if ((usage.spent() ?? 0) > (work.budgetUsd ?? Infinity)) stop.resolve({ kind: "budget" });
  });
  const connection = createAcpClient(work).connect(child.stream);
  const aborted = () => stop.resolve({ kind: "aborted" });
  work.signal.addEventListener("abort", aborted, { once: true });
  if (work.signal.aborted) aborted();
  void child.over.then((why) => stop.resolve({ kind: "over", why }));
  const started = limitStart(parts, () => stop.resolve({ kind: "slow" }), done.signal);
  const { model, thinking } = work;
  const { modelOption, mode } = config;
  // A model in the command line is chosen by it.
  const inCommand = config.command.some((word) => word.includes("{model}"));
  const wish = { model: inCommand ? undefined : model, modelOption, mode, thinking };
  const talking = talk(connection.agent, {
    work,
    wish,
    onStarted(opened) {
      session = opened;
      started();
      at("thinking");
    },
  });
  const first = await Promise.race([talking, stop.promise]);
  const talked = isTalk(first) ? first : await lastWords(first, {
    connection,
    session: session?.sessionId,
    talking,
    clock: parts.clock,
  });
  work.signal.removeEventListener("abort", aborted);
  done.abort();
  connection.close();
  books.tell(usage.close(talked?.usage));
  const unbooked = await books.settled();
  if (unbooked !== undefined) return failed("agent", unbooked, updates.said());
  return endOf(first, { work, updates, env });
}

function isTalk(one: Talk | Stop): one is Talk {
  return one.kind === "answered" || one.kind === "stopped";
}

function limitStart(
  { clock, startLimitMs = START_LIMIT_MS }: AcpParts,
  onLate: () => void,
  signal: AbortSignal,
): () => void {
  const started = new AbortController();
  signal.addEventListener("abort", () => started.abort(), { once: true });
  clock.sleep(startLimitMs, started.signal).then(onLate, () => {});
  return () => started.abort();
}

/** Tells the agent to stop and gives it a moment to say what it used. */
async function lastWords(
  stop: Stop,
  { connection, session, talking, clock }: {
    connection: ClientConnection;
    session: string | undefined;
    talking: Promise<Talk>;
    clock: Clock;
  },
): Promise<Talk | undefined> {
  if (session === undefined || stop.kind === "over") return undefined;
  const waited = new AbortController();
  connection.agent.notify("session/cancel", { sessionId: session }).catch(() => {});
  const late = clock.sleep(CANCEL_MS, waited.signal).then(() => undefined, () => undefined);
  const told = await Promise.race([talking, late]);
  waited.abort();
  return told;
}

/** Tells each use in order; what cannot be recorded ends the attempt as a failure. */
function createBooks(work: Work) {
  let queue: Promise<void> = Promise.resolve();
  let problem: string | undefined;
  return {
    tell(use: WorkUse | undefined): void {
      if (use === undefined) return;
      queue = queue.then(() => work.onUse(use)).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        problem = `Cannot record what the agent cost: ${why}`;
      });
    },
    async settled(): Promise<string | undefined> {
      await queue;
      return problem;
    },
  };
}

function endOf(
  end: Talk | Stop,
  { work, updates, env }: { work: Work; updates: AcpUpdates; env: ProgramEnv },
): WorkEnd {
  const partial = updates.said();
  if (work.signal.aborted) return { kind: "aborted", partial };
  switch (end.kind) {
    case "aborted":
      return { kind: "aborted", partial };
    case "budget": {
      const message = `The budget of $${work.budgetUsd} is used up`;
      return { kind: "failed", cause: "budget", message, passing: false, partial };
    }
    case "slow":
      return failed("agent", "The agent started no session in time", partial);
    case "over":
      return failed("agent", env.clean(`The agent is gone: ${end.why}`), partial);
    case "stopped":
      return { ...end.end, message: env.clean(end.end.message), partial };
    case "answered":
      return answerOf(work, updates);
  }
}

function answerOf(work: Work, updates: AcpUpdates): WorkEnd {
  const result = readResult(work.folder);
  if ("text" in result) return { kind: "done", result: result.text };
  const answer = updates.answer();
  const message = `The agent said nothing and ${RESULT_FILE} ${result.none}`;
  return answer === ""
    ? failed("no-result", message, updates.said())
    : { kind: "done", result: answer };
}

function failed(cause: "agent" | "no-result", message: string, partial: string): WorkEnd {
  return { kind: "failed", cause, message, passing: true, partial };
}

import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import { readIfThere } from "../base/files.ts";
import { agentEnvironment } from "../tasks/attempt-environment.ts";
import type { AttemptEnd } from "../tasks/attempt-end.ts";
import { DATA_FOLDER } from "../tasks/attempt-files.ts";
import { makeAttemptFolder } from "../tasks/attempt-folder.ts";
import { LOG_FILE } from "../tasks/attempt-files.ts";
import { listed, manifestOf, writeManifest } from "../tasks/attempt-manifest.ts";
import { startAttempt } from "../tasks/attempt-process.ts";
import { readProposalFile } from "../tasks/attempt-proposal.ts";
import { GRACE_MS } from "../tasks/attempt-spec.ts";
import type { WorkUse } from "../tasks/backend.ts";
import type { Assignment } from "../tasks/exchange.ts";
import type { AttemptReport, AttemptUse } from "../tasks/task.ts";
import { handedBack } from "../tasks/slurm-worker.ts";
import { FENCED, HANDED_BACK } from "../tasks/worker-runner.ts";
import type { AttemptHooks, AttemptRunner, RunningAttempt } from "../tasks/worker-runner.ts";
import { priceUse, sumUse } from "../tasks/use-price.ts";
import type { RelayServer } from "../tasks/relay-server.ts";
import { relayedBackend } from "./relayed-backend.ts";
import type { WorkerPlace } from "./worker-place.ts";

export interface RunnerParts {
  place: WorkerPlace;
  /** The words that start herd itself. */
  self: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  /** Whether this worker is being ended: then its attempts are ended along with it by others. */
  isLeaving?: () => boolean;
  /** What the worker's own configuration says of a backend: wins over what came with the task. */
  backendOf(name: string): Readonly<Record<string, unknown>> | undefined;
  /** By the names under which a backend asks for them. */
  secretsOf(backend: Readonly<Record<string, unknown>>): Readonly<Record<string, string>>;
  /** How models are asked without a connection of this machine's own. */
  relay?: RelayServer | undefined;
  /** This machine has no connection: whatever can be relayed is. */
  relaysAlways?: boolean;
}

/** Signals to the processes of one job arrive within this. Milliseconds. */
/** Files of an attempt that its report names. */
const MOST_FILES = 200;
const TOLD_MS = 300;
/** Longest answer that travels with the report; RESULT.txt has all. Characters. */
const LONGEST_RESULT = 60_000;

/** Runs assignments, each in a process and a folder of its own. */
export function createAttemptRunner(parts: RunnerParts): AttemptRunner {
  const { place, clock, env } = parts;

  function start(assignment: Assignment, hooks: AttemptHooks): RunningAttempt {
    const startedAt = clock.now();
    const { task, epoch, prompt, sandbox, thinking, model, price } = assignment;
    const configured = parts.backendOf(assignment.backend) ?? assignment.backendConfig;
    const folder = makeAttemptFolder({
      root: place.root,
      task,
      epoch,
      prompt,
      sandbox,
      tools: readIfThere(place.tools),
      data: assignment.data,
      proposes: assignment.proposes,
    });
    const given = (assignment.data ?? []).map(({ name }) => `${DATA_FOLDER}/${name}`);
    const used: WorkUse[] = [];
    const note = (use: WorkUse) => {
      used.push(use);
      hooks.onUse(priced(used, assignment));
    };
    const relayed = relayedBackend(configured, {
      relay: parts.relay,
      always: parts.relaysAlways === true,
      herd: parts.self,
      attempt: { task, epoch, sandbox },
      onUse: (use) => note({ ...use, usd: use.usd }),
    });
    const { backend } = relayed;
    const attempt = startAttempt({
      name: folder.name,
      folder: folder.path,
      prompt,
      instructions: folder.instructions,
      model,
      thinking,
      sandbox,
      env: agentEnvironment(env, { sandbox, folder: folder.path, add: relayed.env }),
      budgetUsd: assignment.budgetUsd,
      backend,
      secrets: relayed.secrets ?? parts.secretsOf(backend),
      relay: relayed.door,
      timeoutMs: assignment.timeoutMs,
      graceMs: GRACE_MS,
      deadManMs: hooks.deadManMs,
      prices: price === undefined || model === undefined ? {} : { [model]: price },
    }, {
      argv: parts.self,
      env,
      clock,
      records: place.records,
      // The relay counts what a program asks; its own word would count it twice.
      onUse: (use) => relayed.counts || note(use),
      onProgress: hooks.onProgress,
    });
    return {
      renew: (ms) => void attempt.renew(ms),
      cancel: (reason) => reason === FENCED ? attempt.fence() : attempt.cancel(reason),
      ended: attempt.ended.then(async ({ end, use, left }): Promise<AttemptReport> => {
        relayed.close();
        const isBack = await isHandedBack(end);
        const manifest = manifestOf(folder.path, undefined, given);
        try {
          writeManifest(folder.path, manifest);
        } catch (error) {
          parts.log.write("warn", `Cannot write the list of files of ${folder.name}`, {
            error: explain(error, "log"),
          });
        }
        if (left > 0) {
          parts.log.write("warn", `${left} processes of ${folder.name} would not end`);
        }
        const leftOut = manifest.leftOut + Math.max(0, manifest.files.length - MOST_FILES);
        const report = {
          ...wordOf(end),
          // How it came to fail is in its log.
          files: [
            ...(end.kind === "done" ? [] : listed(folder.path, LOG_FILE)),
            ...manifest.files.slice(0, MOST_FILES),
          ],
          ...(leftOut === 0 ? {} : { filesLeftOut: leftOut }),
          folder: folder.path,
          use: toldUse(priced(relayed.counts ? used : use, assignment), end, assignment),
          startedAt,
          endedAt: clock.now(),
          ...(end.kind === "done" && assignment.proposes !== undefined
            ? { proposal: readProposalFile(folder.path) }
            : {}),
        };
        return isBack ? handedBack(report) : report;
      }),
    };
  }

  /** SLURM ends all processes of a job at once: an attempt may hear of it before its worker does. */
  async function isHandedBack(end: AttemptEnd): Promise<boolean> {
    if (end.kind === "cancelled") return end.reason === HANDED_BACK;
    if (end.kind !== "crashed" || end.signal === undefined) return false;
    if (parts.isLeaving?.() === false) await clock.sleep(TOLD_MS);
    return parts.isLeaving?.() === true;
  }

  return { start };
}

function priced(
  uses: readonly WorkUse[],
  { model, price }: Pick<Assignment, "model" | "price">,
): AttemptUse[] {
  return [...sumUse(uses.map((use) => priceUse(use, { model, price })))];
}

/** Work that was done and of whose use nothing was said has cost what nobody knows, but for what is free. */
function toldUse(
  use: AttemptUse[],
  end: AttemptEnd,
  { model, modelName, price }: Assignment,
): AttemptUse[] {
  if (use.length > 0 || end.kind !== "done") return use;
  const isFree = price !== undefined && Object.values(price).every((usd) => usd === 0);
  const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  return [{ model: model ?? modelName, ...none, usd: isFree ? 0 : null }];
}

function wordOf(end: AttemptEnd): Pick<AttemptReport, "end" | "cause" | "passing" | "result"> {
  const cut = (text: string) => text.slice(0, LONGEST_RESULT).toWellFormed();
  switch (end.kind) {
    case "done":
      return { end: "done", cause: "", passing: false, result: cut(end.result) };
    case "failed":
      return {
        end: end.cause === "refused" ? "refused" : "failed",
        cause: end.message,
        passing: end.passing,
        result: cut(end.partial),
      };
    case "cancelled":
      return { end: "cancelled", cause: end.reason, passing: false, result: cut(end.partial) };
    case "timed-out":
      return {
        end: "timed-out",
        cause: `It took longer than ${Math.round(end.limitMs / 1000)} s`,
        passing: false,
        result: cut(end.partial),
      };
    case "fenced":
      return {
        end: "fenced",
        cause: "The worker had lost touch with the pool",
        passing: true,
        result: cut(end.partial),
      };
    case "crashed":
      return { end: "crashed", cause: end.message, passing: true, result: cut(end.partial) };
  }
}

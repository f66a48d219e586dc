import { DEFAULT_MODEL } from "../agent/claude.ts";
import { relayCall } from "../backends/relay-call.ts";
import type { RelayCall, RelayRefusal } from "../backends/relay-call.ts";
import type { TokenPrice } from "../sweep/config.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import type { PoolState } from "../tasks/pool-state.ts";
import type { RelayAsk } from "../tasks/relay-files.ts";
import { resolveWish } from "../tasks/resolve-wish.ts";

export interface PermitFacts {
  state: PoolState;
  config: PoolConfig;
  env: Readonly<Record<string, string | undefined>>;
  /** US dollars that the relay has counted for the attempt so far. */
  metered: number;
}

export type Permit = { call: RelayCall; price: TokenPrice | undefined } | RelayRefusal;

/** Whether a worker may have this asked: for an attempt that it has now, that task's model, within the budget. */
export function permitRelay(worker: string, ask: RelayAsk, facts: PermitFacts): Permit {
  const { state, config } = facts;
  const task = state.tasks.get(ask.task);
  const attempt = task?.attempts.at(-1);
  const isIts = task !== undefined && attempt !== undefined && attempt.worker === worker &&
    task.epoch === ask.epoch && attempt.epoch === ask.epoch && attempt.endedAt === undefined &&
    (task.status === "assigned" || task.status === "running");
  if (!isIts) return no(403, "This worker has no such attempt now");
  if (task.cancelAsked !== undefined) return no(403, "The task was cancelled");
  if (state.stopped?.now === true) return no(403, "The pool was stopped");
  const how = resolveWish(task, config);
  if ("cannot" in how) return no(403, how.cannot);
  const backend = config.backends[how.backend]!;
  if (!state.jobs.has(worker) && !isRelayed(backend["relay"])) {
    return no(403, `Backend "${how.backend}" is not given to this worker through the relay`);
  }
  const name = apiOf(how.backend, ask.path, config);
  if (name === undefined) return no(403, `Backend "${how.backend}" has no relay for this address`);
  const api = config.backends[name]!;
  const models = modelsOf(how, name, config);
  const call = relayCall(ask, {
    backend: api,
    models,
    network: how.sandbox.network,
    env: facts.env,
  });
  if ("refused" in call) return call;
  const price =
    Object.values(config.models).find((one) => one.backend === name && one.model === call.model)
      ?.price ?? (name === how.backend ? how.price : undefined);
  if (how.budgetUsd === undefined) return { call, price };
  if (price === undefined) {
    return no(403, `The price of "${call.model}" is not known, so no budget can be kept`);
  }
  const told = attempt.use.reduce((sum, { usd }) => sum + (usd ?? 0), 0);
  return Math.max(facts.metered, told) >= how.budgetUsd
    ? no(403, `The task's budget of $${config.budget.usdPerTask} is used up`)
    : { call, price };
}

export function isRelayed(relay: unknown): boolean {
  return relay === true || typeof relay === "string";
}

/** The API behind a backend: itself, or the one that a program's `relay` names or means. */
function apiOf(name: string, path: string, { backends }: PoolConfig): string | undefined {
  const { kind, relay } = backends[name]!;
  if (kind === "anthropic" || kind === "openai") return name;
  if (typeof relay === "string") return Object.hasOwn(backends, relay) ? relay : undefined;
  if (relay !== true) return undefined;
  const wanted = path.startsWith("/v1/messages") ? "anthropic" : "openai";
  return Object.keys(backends).find((one) => backends[one]!.kind === wanted);
}

/** A program may call several models; those that the configuration has of that API. */
function modelsOf(
  how: { backend: string; model: string | undefined },
  api: string,
  { backends, models }: PoolConfig,
): string[] {
  const own = how.model === undefined ? [] : [how.model];
  if (api === how.backend) {
    return own.length > 0 || backends[api]!.kind !== "anthropic" ? own : [DEFAULT_MODEL];
  }
  const listed = Object.values(models).flatMap(({ backend, model }) =>
    backend === api && model !== undefined ? [model] : []
  );
  return [...new Set([...own, ...listed])];
}

function no(status: number, refused: string): RelayRefusal {
  return { status, refused };
}

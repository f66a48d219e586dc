import type { TokenPrice } from "../sweep/config.ts";
import type { Resolved } from "./coordinator.ts";
import type { PoolConfig } from "./pool-config.ts";
import type { Task } from "./task.ts";

/**
 * How a task is done by today's configuration: what its wish leaves out comes from the defaults.
 * `cannot` is one sentence without period; the configuration may have changed since it was asked.
 */
export function resolveWish(
  { wish, attempts }: Pick<Task, "wish" | "attempts">,
  config: PoolConfig,
): Resolved | { cannot: string; isFinal?: boolean } {
  const name = wish.model ?? config.defaults.model;
  if (name === undefined) {
    return { cannot: "Cannot choose a model: neither the task nor the configuration names one" };
  }
  const model = resolveModel(name, config);
  if ("cannot" in model) return model;
  const budgetUsd = budgetLeft(attempts, config.budget.usdPerTask);
  if (budgetUsd !== undefined && budgetUsd <= 0) {
    return {
      cannot:
        `Cannot begin another attempt: the task's budget of $${config.budget.usdPerTask} is used up`,
      isFinal: true,
    };
  }
  const level = wish.sandbox ?? config.defaults.sandbox;
  return {
    modelName: name,
    ...model,
    backendConfig: withoutSecrets(config.backends[model.backend]!),
    price: priceOf(name, model, config),
    thinking: wish.thinking ?? config.defaults.thinking,
    sandbox: { level, network: level === "none" || config.defaults.network },
    timeoutMs: wish.timeoutMs ?? config.defaults.timeoutMs,
    budgetUsd,
  };
}

/** An alias, or `BACKEND/MODEL`. */
export function resolveModel(
  name: string,
  { models, backends }: Pick<PoolConfig, "models" | "backends">,
): Pick<Resolved, "backend" | "model"> | { cannot: string } {
  if (Object.hasOwn(models, name)) {
    const { backend, model } = models[name]!;
    return Object.hasOwn(backends, backend)
      ? { backend, model }
      : { cannot: `Cannot use the model "${name}": there is no backend "${backend}" any more` };
  }
  const slash = name.indexOf("/");
  const backend = name.slice(0, Math.max(0, slash));
  if (slash > 0 && slash < name.length - 1 && Object.hasOwn(backends, backend)) {
    return { backend, model: name.slice(slash + 1) };
  }
  const known = [...Object.keys(models), ...Object.keys(backends).map((one) => `${one}/MODEL`)];
  const valid = known.length === 0 ? "no model is configured" : `there are ${known.join(", ")}`;
  return { cannot: `Cannot use the model "${name}": the configuration does not have it, ${valid}` };
}

/** Of the alias; else of any alias that means the same model. */
function priceOf(
  name: string,
  { backend, model }: Pick<Resolved, "backend" | "model">,
  { models }: Pick<PoolConfig, "models">,
): TokenPrice | undefined {
  if (Object.hasOwn(models, name)) return models[name]!.price;
  return Object.values(models).find((one) =>
    one.backend === backend && one.model === model && one.price !== undefined
  )?.price;
}

/** Names under which keys travel in headers. */
const SECRET_HEADER = /auth|cookie|key|token|secret|password/i;

/** What a worker is told of a backend: names of variables, never what is in them. */
export function withoutSecrets(
  backend: PoolConfig["backends"][string],
): PoolConfig["backends"][string] {
  const { apiKey: _, headers, ...rest } = backend;
  if (typeof headers !== "object" || headers === null) return { ...rest, kind: backend.kind };
  const open = Object.entries(headers).filter(([name]) => !SECRET_HEADER.test(name));
  return { ...rest, kind: backend.kind, headers: Object.fromEntries(open) };
}

/** What earlier attempts cost is gone; the one that is under way has its budget already. */
function budgetLeft(attempts: Task["attempts"], usd: number | undefined): number | undefined {
  if (usd === undefined) return undefined;
  const spent = attempts.filter(({ endedAt }) => endedAt !== undefined)
    .flatMap(({ use }) => use).reduce((sum, one) => sum + (one.usd ?? 0), 0);
  return Math.max(0, usd - spent);
}

import { primaryModel } from "./openclaw-backends.ts";
import type { OpenclawBackend } from "./openclaw-backends.ts";
import { isRecord, listAt, numberAt, recordAt, textAt } from "./openclaw-json.ts";
import type { Json } from "./openclaw-json.ts";

export interface OpenclawModel {
  alias: string;
  backend: string;
  /** As the provider names it. */
  id: string;
  /** For people. */
  name: string | undefined;
  /** US dollars per million tokens, by key of the configuration. */
  price: Readonly<Record<string, number>> | undefined;
  isPrimary: boolean;
}

/** How the users of discord-orchestration call these. */
const USUAL: Readonly<Record<string, string>> = {
  "stepfun/step-3.5-flash:free": "cheap",
  "moonshotai/kimi-k2.5": "primary",
  "qwen/qwen3-coder-next": "coder",
  "google/gemini-3-pro-preview": "research",
};

const PRICE_KEYS = [
  ["input", "input"],
  ["output", "output"],
  ["cacheRead", "cache_read"],
  ["cacheWrite", "cache_write"],
] as const;

/** More dollars for a million tokens than any model costs. */
const UNLIKELY_USD = 1000;

/** Every model gets an alias: its own in OpenClaw, `primary`, a usual one, or the end of its id. */
export function nameOpenclawModels(
  backends: readonly OpenclawBackend[],
  defaults: Json,
  notices: string[],
): OpenclawModel[] {
  const primary = primaryModel(defaults);
  const models = backends.flatMap((backend) =>
    modelsOf(backend, notices).map((model) => ({
      ...model,
      reference: `${backend.provider}/${model.id}`,
    }))
  );
  const owner = backends.find(({ provider }) => primary?.startsWith(`${provider}/`));
  if (primary !== undefined && owner !== undefined) {
    if (!models.some(({ reference }) => reference === primary)) {
      const id = primary.slice(owner.provider.length + 1);
      models.unshift({
        backend: owner.name,
        id,
        name: undefined,
        price: undefined,
        reference: primary,
      });
      notices.push(`Found no price of the model "${id}": its cost is not known until you add it`);
    }
  }
  const aliases = recordAt(defaults, "models");
  const isPrimary = ({ reference }: { reference: string }) => reference === primary;
  const taken = new Set<string>();
  // The primary model has the first choice of a name.
  const ordered = [...models.filter(isPrimary), ...models.filter((one) => !isPrimary(one))];
  return ordered.map(({ reference, ...model }) => {
    const own = textAt(recordAt(aliases, reference), "alias");
    const usual = Object.hasOwn(USUAL, model.id) ? USUAL[model.id] : undefined;
    const first = isPrimary({ reference });
    const wanted = own ?? (first ? "primary" : usual) ?? model.id.split("/").at(-1)!;
    return { ...model, alias: freeName(wanted, taken), isPrimary: first };
  });
}

function modelsOf(
  { name: backend, settings }: OpenclawBackend,
  notices: string[],
): Omit<OpenclawModel, "alias" | "isPrimary">[] {
  return listAt(settings, "models").flatMap((model) => {
    const id = isRecord(model) ? textAt(model, "id") : undefined;
    if (!isRecord(model) || id === undefined || !/^[\x21-\x7e]{1,200}$/.test(id)) {
      notices.push(`Left out a model of "${backend}" that has no usable id`);
      return [];
    }
    return [{ backend, id, name: textAt(model, "name"), price: priceOf(id, model, notices) }];
  });
}

function priceOf(
  id: string,
  model: Json,
  notices: string[],
): Readonly<Record<string, number>> | undefined {
  const cost = recordAt(model, "cost");
  const pairs = PRICE_KEYS.flatMap(([from, to]) => {
    const usd = numberAt(cost, from);
    // Clean decimals: 0.00045 of a thousand is 0.45 of a million.
    return usd === undefined || usd < 0
      ? []
      : [[to, Number((usd * 1000).toPrecision(12))] as const];
  });
  const price: Readonly<Record<string, number>> = Object.fromEntries(pairs);
  if (price.input === undefined || price.output === undefined) {
    notices.push(`Found no price of the model "${id}": its cost is not known until you add it`);
    return undefined;
  }
  const most = Math.max(...Object.values(price));
  if (most > 1e6) {
    notices.push(`Left out the price of "${id}": it would be more than a dollar for each token`);
    return undefined;
  }
  if (most > UNLIKELY_USD) {
    notices.push(
      `The price of "${id}" would be $${most} per million tokens: look whether it was not per ` +
        "1,000 tokens in the first place",
    );
  }
  return price;
}

/** Fit for a tag: `qwen3-coder-next`, a second one `qwen3-coder-next-2`. */
function freeName(wanted: string, taken: Set<string>): string {
  const fit = wanted.replace(/[^A-Za-z0-9._:-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 60);
  const base = fit === "" ? "model" : fit;
  let name = base;
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${base.slice(0, 58)}-${n}`;
  taken.add(name.toLowerCase());
  return name;
}

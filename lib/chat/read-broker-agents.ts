import { nearest } from "../base/text.ts";
import type { TokenPrice } from "../sweep/config.ts";
import { oneOf, quote, readText, wrong } from "../sweep/fields.ts";
import type { Report, Spot } from "../sweep/report.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";
import type { AgentChoice, AgentSettings } from "./broker-config.ts";

/** What the rest of herd lends for agents, and what the section `pool` has. */
export interface AgentParts {
  /** A mapping of names to settings: their form, as `pool.backends` has it. */
  readBackends(node: Node, report: Report): Readonly<Record<string, AgentSettings>> | undefined;
  /** Why settings are no agent: a sentence without a period, and without a value. */
  refuseAgent(settings: AgentSettings): string | undefined;
  pool: {
    backends: Readonly<Record<string, AgentSettings>>;
    models: Readonly<Record<string, PricedModel>>;
  };
}

export interface PricedModel {
  backend: string;
  model: string | undefined;
  price: TokenPrice | undefined;
}

/** The agents that can be named. */
export interface Agents {
  /** Those that were named so far, and could be read. */
  used(): Readonly<Record<string, AgentSettings>>;
  /** `agent` and `model` of a bot or a project; `name` is what an agent is called that stands in place. */
  choose(
    told: { agent: Node | undefined; model: Node | undefined },
    at: { name: string; spot: Spot },
  ): AgentChoice | undefined;
}

/** `node`: the section `broker.agents`. */
export function openAgents(node: Node | undefined, parts: AgentParts, report: Report): Agents {
  const own = node === undefined ? {} : readChecked(node, parts, report);
  const named = node?.kind === "mapping" ? node.entries.map(({ key }) => key) : [];
  const pool = Object.keys(parts.pool.backends);
  for (const { key, at } of node?.kind === "mapping" ? node.entries : []) {
    if (!pool.includes(key)) continue;
    report.mistake(
      at,
      `Cannot use ${quote(key)} as the name of an agent: pool.backends has it already`,
      "Use the one of the pool, or another name",
    );
  }
  const used: Record<string, AgentSettings> = { ...own };
  const settingsOf = (name: string) => lookUp(used, name) ?? lookUp(parts.pool.backends, name);

  function byName(node: Node): string | undefined {
    const name = readText(node, report);
    const all = [...named, ...pool];
    if (name === undefined || all.includes(name)) return name;
    const near = nearest(name, all);
    const hint = near === undefined
      ? 'Name it in "broker.agents" or in "pool.backends"'
      : `Did you mean "${near}"?`;
    return wrong(node, report, all.length === 0 ? "the name of an agent" : oneOf(all), hint);
  }

  function inPlace(node: MappingNode, name: string): string | undefined {
    const entry = { key: name, at: node.head, value: node };
    const read = readChecked({ ...node, entries: [entry] }, parts, report);
    const taken = [...named, ...pool, ...Object.keys(used)];
    const free = [name, `${name}-agent`, `${name}-agent-2`].find((one) => !taken.includes(one));
    const settings = read[name];
    if (settings === undefined || free === undefined) return undefined;
    used[free] = settings;
    return free;
  }

  /** The only one that there is. */
  function usual(spot: Spot): string | undefined {
    const [first, second] = named.length > 0 ? named : pool;
    if (first !== undefined && second === undefined) return first;
    const found = first === undefined ? "there is none" : "there are several";
    return report.mistake(
      spot,
      `Missing key "agent": ${found}, expected ${
        first === undefined
          ? 'a name of "broker.agents" or "pool.backends"'
          : oneOf([...named, ...pool])
      }`,
    );
  }

  return {
    used: () => used,
    choose({ agent, model }, { name, spot }) {
      const wanted = model === undefined ? undefined : readText(model, report);
      if (model !== undefined && wanted === undefined) return undefined;
      const alias = wanted === undefined ? undefined : lookUp(parts.pool.models, wanted);
      const chosen = agent === undefined
        ? alias?.backend ?? usual(spot)
        : agent.kind === "mapping"
        ? inPlace(agent, name)
        : byName(agent);
      if (chosen === undefined) return undefined;
      const settings = settingsOf(chosen);
      // What is wrong with it has been said.
      if (settings === undefined) return undefined;
      used[chosen] = settings;
      const price = alias?.backend === chosen ? alias.price : undefined;
      const resolved = alias?.backend === chosen ? alias.model : wanted;
      if (resolved === undefined && needsModel(settings)) {
        return report.mistake(
          agent ?? spot,
          `Missing key "model" for the agent ${quote(chosen)}: expected an alias of pool.models, ` +
            "or the model as the provider names it",
        );
      }
      return { name: chosen, model: resolved, price };
    },
  };
}

function readChecked(
  node: Node,
  { readBackends, refuseAgent }: AgentParts,
  report: Report,
): Record<string, AgentSettings> {
  const read = Object.entries(readBackends(node, report) ?? {});
  return Object.fromEntries(read.filter(([name, settings]) => {
    const refused = refuseAgent(settings);
    if (refused === undefined) return true;
    const at = node.kind === "mapping" ? node.entries.find(({ key }) => key === name)?.at : node;
    const path = node.kind === "mapping"
      ? node.entries.find(({ key }) => key === name)?.value.path ?? node.path
      : node.path;
    report.mistake(at ?? node, refused.replace(/^Cannot use the backend/, `Cannot use ${path}`));
    return false;
  }));
}

/** An API has no model of its own; a program has. */
function needsModel({ kind }: AgentSettings): boolean {
  return kind === "anthropic" || kind === "openai";
}

/** Own names only: every object has a "constructor". */
function lookUp<T>(of: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

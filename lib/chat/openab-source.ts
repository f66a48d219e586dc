import { parse } from "smol-toml";
import { UserError } from "../base/errors.ts";
import { createReport } from "../sweep/report.ts";
import { readYaml } from "../sweep/yaml-document.ts";
import type { Node } from "../sweep/yaml-node.ts";
import { readPlain } from "../sweep/yaml-scalar.ts";

/** A part of a file that somebody else wrote: nothing in it is sure. */
export type Json = Readonly<Record<string, unknown>>;

/** One bot of OpenAB, in the sections of its `config.toml`. */
export interface OpenabBot {
  name: string;
  sections: Json;
}

/** The bots of an `openab.toml`, or of a values file of the Helm chart. */
export function readOpenabFile(file: { name: string; text: string }): OpenabBot[] {
  const text = file.text.replace(/^\uFEFF/, "");
  if (/\.ya?ml$/i.test(file.name)) return readValues(file.name, text);
  return [{ name: botName(file.name), sections: readToml(file.name, text) }];
}

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}

function readToml(name: string, text: string): Json {
  try {
    // Ids are beyond 2^53: without this the library refuses them.
    return parse(text, { integersAsBigInt: "asNeeded" });
  } catch (error) {
    // The library's message shows a piece of the text, which may be a token.
    const { line, column } = error as { line?: unknown; column?: unknown };
    const at = typeof line === "number" && typeof column === "number" ? `:${line}:${column}` : "";
    throw new UserError(`Cannot read "${name}" as TOML${at === "" ? "" : ` at ${at.slice(1)}`}`, {
      hint: "OpenAB puts variables in before it reads the file: one that stands without quotes, " +
        "such as allow_dm = ${DM}, has to be written out",
    });
  }
}

/** `agents.NAME.discord.botToken` and its like. */
function readValues(name: string, text: string): OpenabBot[] {
  const report = createReport(name);
  const root = readYaml(text, report, { begin: "Give the values file", example: "agents:" });
  report.settle();
  const values = root === undefined ? {} : plain(root);
  const agents = isRecord(values) && isRecord(values["agents"]) ? values["agents"] : undefined;
  if (agents === undefined) {
    throw new UserError(`Cannot import "${name}": it has no "agents"`, {
      hint: "Give an openab.toml, or the values file of the Helm chart",
    });
  }
  return Object.entries(agents).filter(([, agent]) => isRecord(agent)).map(([agent, settings]) => ({
    name: agent,
    sections: sectionsOf(settings as Json),
  }));
}

/** The chart has the agent's own settings beside its sections, and camels in its keys. */
function sectionsOf(settings: Json): Json {
  const { command, args, workingDir, env, inheritEnv, cronjobs, ...rest } = settings;
  const agent = { command, args, working_dir: workingDir, env, inherit_env: inheritEnv };
  const given = Object.entries(agent).filter(([, value]) => value !== undefined);
  const snaked = snake(rest) as Json;
  return {
    ...snaked,
    agent: Object.fromEntries(given),
    ...(cronjobs === undefined ? {} : { cronjobs: snake(cronjobs) }),
  };
}

function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snake(member),
    ]),
  );
}

/** Numbers that would lose digits stay as they were written. */
function plain(node: Node): unknown {
  if (node.kind === "list") return node.items.map(plain);
  if (node.kind === "mapping") {
    return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
  }
  return node.plain ? readPlain(node.text).value : node.text;
}

function botName(file: string): string {
  const base = file.replace(/^.*\//, "").replace(/\.[^.]*$/, "");
  return base.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 64) || "bot";
}

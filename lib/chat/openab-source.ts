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
  if (isValues(file.name, text)) return readValues(file.name, text);
  const sections = readToml(file.name, text);
  wantDiscord(file.name, sections);
  return [{ name: botName(file.name), sections }];
}

/** One that comes through a pipe has no ending. */
function isValues(name: string, text: string): boolean {
  return /\.ya?ml$/i.test(name) || (!/\.toml$/i.test(name) && /^agents\s*:/m.test(text));
}

/** Without it a bot would be open for everybody, as an empty list is there. */
function wantDiscord(name: string, sections: Json): void {
  const missing = ["discord", "agent"].filter((section) => !isRecord(sections[section]));
  if (!missing.includes("discord")) return;
  const named = missing.map((section) => `"${section}"`).join(" and no section ");
  throw new UserError(`Cannot import "${name}": it has no section ${named}`, {
    hint: "Give OpenAB's config.toml, or the values file of its Helm chart",
  });
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
  return Object.entries(agents).flatMap(([agent, settings]) => {
    if (!isRecord(settings)) return [];
    // So the agent that the chart brings is switched off.
    if (settings["enabled"] === false && settings["discord"] === undefined) return [];
    wantDiscord(`${name}: agents.${agent}`, settings);
    return [{ name: agent, sections: sectionsOf(settings) }];
  });
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

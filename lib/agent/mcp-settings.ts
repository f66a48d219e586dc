import type { McpServerSettings } from "../sweep/config.ts";
import { cleanLine } from "./quote-data.ts";
import { expandVariables, VARIABLE } from "../sweep/expand-variables.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A server with its `${VAR}` filled in, and the values that no message may show. */
export type ReadyServer =
  & { name: string; tools: readonly string[] | undefined; secrets: readonly string[] }
  & (
    | {
      transport: "stdio";
      command: string;
      args: readonly string[];
      /** The whole environment of the program. */
      env: Readonly<Record<string, string>>;
      /** Absent: where herd itself was started. */
      cwd?: string;
    }
    | { transport: "http"; url: string; headers: Readonly<Record<string, string>> }
  );

/** What a program of somebody else's gets to see of our environment, and nothing else. */
const PASSED = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME", "SHELL"];

/** Shorter values are words such as "8080" or "true"; blotting them out would spoil sentences. */
const SHORTEST_SECRET = 6;

/** Fills in a server's variables; names those that are not set, without repeats. */
export function readyServer(
  settings: McpServerSettings,
  env: Environment,
): { server: ReadyServer } | { missing: readonly string[] } {
  const missing = new Set<string>();
  const secrets = new Set<string>();
  const fill = (text: string): string => {
    const expanded = expandVariables(text, env);
    if ("missing" in expanded) {
      for (const name of expanded.missing) missing.add(name);
      return "";
    }
    for (const [, name] of text.matchAll(VARIABLE)) keepBack(env[name!]);
    return expanded.text;
  };
  const keepBack = (value: string | undefined) => {
    if (value !== undefined && value.length >= SHORTEST_SECRET) secrets.add(value);
  };
  const fillAll = (values: Readonly<Record<string, string>>) => {
    const filled: Record<string, string> = {};
    for (const [name, value] of Object.entries(values)) {
      filled[name] = fill(value);
      keepBack(filled[name]);
    }
    return filled;
  };
  const { name, tools } = settings;
  const made = settings.transport === "stdio"
    ? {
      transport: "stdio" as const,
      command: fill(settings.command),
      args: settings.args.map(fill),
      env: { ...passedOn(env), ...fillAll(settings.env) },
    }
    : {
      transport: "http" as const,
      url: fill(settings.url),
      headers: fillAll(settings.headers),
    };
  if (missing.size > 0) return { missing: [...missing] };
  return { server: { name, tools, secrets: [...secrets], ...made } };
}

function passedOn(env: Environment): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of PASSED) {
    const value = env[name];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}

/** A text of a server's for people: one line, short, without what is secret. */
export function fitToShow(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) shown = shown.replaceAll(secret, "…");
  return cleanLine(shown, 200);
}

import { posix } from "node:path";

/** `all` also lets values through, `types` only `import type`, `dynamic` only `import()` and types. */
export type Grant = "all" | "types" | "dynamic";

/** Which folder may import which; house.md section 4 and docs/architecture.md say the same in words. */
export const MAY_IMPORT: Readonly<Record<string, Readonly<Record<string, Grant>>>> = {
  base: {},
  charts: { base: "all" },
  ssh: { base: "all" },
  deploy: { base: "all", ssh: "all" },
  mirror: { base: "all", ssh: "all", sweep: "types", schedulers: "types", store: "types" },
  sweep: { base: "all" },
  schedulers: { base: "all", sweep: "types" },
  store: { base: "all", sweep: "all" },
  actions: { base: "all", sweep: "all", schedulers: "types", store: "types" },
  agent: { base: "all", sweep: "all", actions: "types", store: "types" },
  monitor: {
    base: "all",
    sweep: "all",
    words: "all",
    actions: "types",
    agent: "types",
    schedulers: "types",
    store: "types",
  },
  words: { base: "all", sweep: "all", actions: "types" },
  slash: { base: "all", sweep: "all", words: "all", actions: "types" },
  chat: { base: "all", sweep: "all", words: "all", agent: "types", store: "types", tasks: "types" },
  tasks: { base: "all", sweep: "all", agent: "types", store: "types" },
  backends: { base: "all", sweep: "all", agent: "all", tasks: "all", chat: "types" },
  discord: {
    base: "all",
    sweep: "all",
    charts: "all",
    words: "all",
    slash: "all",
    actions: "types",
    chat: "all",
    tasks: "types",
    store: "types",
  },
  control: {
    base: "all",
    sweep: "all",
    charts: "all",
    words: "all",
    slash: "all",
    actions: "all",
    store: "types",
    tasks: "all",
  },
  daemon: {
    base: "all",
    sweep: "all",
    charts: "all",
    ssh: "all",
    deploy: "all",
    mirror: "all",
    schedulers: "all",
    store: "all",
    actions: "all",
    agent: "all",
    monitor: "all",
    words: "all",
    slash: "all",
    chat: "all",
    tasks: "all",
    backends: "all",
    discord: "all",
    control: "all",
  },
  commands: {
    base: "all",
    sweep: "all",
    words: "all",
    actions: "types",
    control: "all",
    daemon: "dynamic",
    ssh: "types",
  },
  main: { commands: "all" },
};

/** Each outside package, and each built-in that touches the world, has one folder that knows it. */
export const OWNER: Readonly<Record<string, string>> = {
  "@agentclientprotocol/sdk": "backends",
  "@anthropic-ai/sdk": "agent",
  "@discordeno/bot": "discord",
  "@hono/node-server": "control",
  "@hono/zod-openapi": "control",
  "@modelcontextprotocol/sdk": "agent",
  "@resvg/resvg-wasm": "charts",
  "dejavu-fonts-ttf": "charts",
  "diff": "sweep",
  "dotenv": "store",
  "hono": "control",
  "jpeg-js": "charts",
  "node:child_process": "base",
  "node:sqlite": "store",
  "smol-toml": "chat",
  "ssh2": "ssh",
  "vega": "charts",
  "vega-lite": "charts",
  "ws": "discord",
  "yaml": "sweep",
  "zod": "base",
};

/** Built-ins without a clock, files or processes. */
const PURE_BUILTINS: readonly string[] = ["node:assert", "node:buffer", "node:crypto", "node:util"];

/** Files of base that touch the world; the pure model may know their types only. */
const IMPURE_BASE: readonly string[] = [
  "clock",
  "files",
  "log",
  "output",
  "pid",
  "process",
  "question",
  "terminal",
];

export interface Import {
  /** Path of the importing file, relative to the checkout. */
  file: string;
  /** As written between the quotes. */
  source: string;
  kind: "value" | "type" | "dynamic";
  /** `with { type: "text" }` and its like: a file's content, not code. */
  asset?: boolean;
}

/** `base` for lib/base/clock.ts, `commands`, `main`; undefined for scripts, tests and what is outside. */
export function folderOf(path: string): string | undefined {
  if (path === "main.ts") return "main";
  return path.match(/^lib\/([^/]+)\//)?.[1] ?? path.match(/^(commands)\//)?.[1];
}

/** Why this import is not allowed; undefined when it is. */
export function refusal(one: Import): string | undefined {
  const from = folderOf(one.file);
  if (from === undefined) return undefined;
  if (MAY_IMPORT[from] === undefined) {
    return `Folder ${from}/ is in no line of scripts/import-rules.ts: say what it may import`;
  }
  return one.source.startsWith(".") ? refuseFile(one, from) : refusePackage(one, from);
}

function refuseFile(one: Import, from: string): string | undefined {
  const target = posix.join(posix.dirname(one.file), one.source);
  const to = folderOf(target);
  if (to === undefined) {
    return one.asset
      ? undefined
      : `${from}/ may not import "${target}": it is outside lib/ and commands/`;
  }
  if (to === from) return undefined;
  const grant = MAY_IMPORT[from]?.[to];
  if (grant === undefined) return `${from}/ may import nothing from ${to}/`;
  if (grant === "types" && one.kind !== "type") return `${from}/ may import only types from ${to}/`;
  if (grant === "dynamic" && one.kind === "value") {
    return `${from}/ may import ${to}/ only by import(), so that the start stays fast`;
  }
  const impure = from === "sweep" && to === "base" && one.kind !== "type" &&
    IMPURE_BASE.includes(posix.basename(target, ".ts"));
  return impure ? `sweep/ is pure: it may import only types from "${target}"` : undefined;
}

function refusePackage(one: Import, from: string): string | undefined {
  const name = packageName(one.source);
  const owner = OWNER[name];
  if (owner !== undefined) {
    return owner === from ? undefined : `Only ${owner}/ may import "${name}"`;
  }
  if (!name.startsWith("node:")) {
    return `Package "${name}" has no owner folder: give it one in scripts/import-rules.ts`;
  }
  const pure = PURE_BUILTINS.includes(name) || one.kind === "type";
  return from === "sweep" && !pure ? `sweep/ is pure: it may not import "${name}"` : undefined;
}

/** `hono` for `hono/jwt` and `npm:hono@4.1/jwt`; `node:fs` for `node:fs/promises`. */
export function packageName(source: string): string {
  const plain = source.replace(/^(npm|jsr):\/?/, "");
  const scoped = plain.startsWith("@");
  const name = plain.split("/").slice(0, scoped ? 2 : 1).join("/");
  return name.replace(/(?<=.)@.*$/, "");
}

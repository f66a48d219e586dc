import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import test from "node:test";
import layers from "../../../scripts/layers.ts";
import { MAY_IMPORT, packageName } from "../../../scripts/import-rules.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** What the plugin says of a source standing at that path of the checkout, as `rule: message`. */
function said(path: string, source: string): string[] {
  return Deno.lint.runPlugin(layers, ROOT + path, source).map(({ id, message }) =>
    `${id.replace("layers/", "")}: ${message}`
  );
}

function refuses(path: string, source: string, pattern: RegExp) {
  const found = said(path, source);
  assert.equal(found.length, 1, `${path}: ${source} gave ${JSON.stringify(found)}`);
  assert.match(found[0]!, pattern);
}

function allows(path: string, source: string) {
  assert.deepEqual(said(path, source), [], `${path}: ${source}`);
}

test("base imports nothing of ours", () => {
  refuses(
    "lib/base/a.ts",
    `import { b } from "../sweep/b.ts";`,
    /base\/ may import nothing from sweep/,
  );
  refuses("lib/base/a.ts", `import type { B } from "../sweep/b.ts";`, /base\/ may import nothing/);
  allows("lib/base/a.ts", `import { b } from "./b.ts";`);
});

test("schedulers get types of sweep and no values", () => {
  allows("lib/schedulers/slurm/a.ts", `import type { B } from "../../sweep/b.ts";`);
  allows(
    "lib/schedulers/slurm/a.ts",
    `import { c } from "../../base/c.ts"; import { d } from "../d.ts";`,
  );
  refuses(
    "lib/schedulers/slurm/a.ts",
    `import { b } from "../../sweep/b.ts";`,
    /only types from sweep/,
  );
});

test("an inline type keeps the import at run time, so it is a value", () => {
  refuses(
    "lib/schedulers/a.ts",
    `import { type B } from "../sweep/b.ts";`,
    /only types from sweep/,
  );
});

test("export from, import() and import types count as imports", () => {
  refuses("lib/store/a.ts", `export { b } from "../monitor/b.ts";`, /nothing from monitor/);
  refuses("lib/store/a.ts", `await import("../monitor/b.ts");`, /nothing from monitor/);
  refuses(
    "lib/store/a.ts",
    `export declare const x: import("../monitor/b.ts").B;`,
    /nothing from monitor/,
  );
  refuses("lib/store/a.ts", "const p = 1; await import(`../${p}.ts`);", /must be a literal/);
  allows("lib/monitor/a.ts", `export type { B } from "../actions/b.ts";`);
});

test("commands reach the daemon by import() alone, and nothing below it", () => {
  allows("commands/run.ts", `await import("../lib/daemon/start.ts");`);
  allows("commands/run.ts", `import type { D } from "../lib/daemon/start.ts";`);
  refuses("commands/run.ts", `import { d } from "../lib/daemon/start.ts";`, /only by import\(\)/);
  refuses("commands/run.ts", `import { s } from "../lib/store/s.ts";`, /nothing from store/);
});

test("main.ts knows the commands and nothing else", () => {
  allows("main.ts", `import { start } from "./commands/start.ts";`);
  refuses("main.ts", `import { b } from "./lib/base/b.ts";`, /main\/ may import nothing from base/);
});

test("the program imports no scripts and no tests, but files as text", () => {
  refuses("lib/daemon/a.ts", `import { b } from "../../scripts/b.ts";`, /outside lib/);
  allows("commands/init.ts", `import text from "../example/a.yaml" with { type: "text" };`);
});

test("a folder that the table does not know is refused", () => {
  refuses("lib/utils/a.ts", `import { b } from "./b.ts";`, /Folder utils\/ is in no line/);
});

test("an outside package has one owner, whatever the subpath and the form of the name", () => {
  const owners = {
    "yaml": "sweep",
    "dotenv": "store",
    "ssh2": "ssh",
    "@anthropic-ai/sdk": "agent",
    "@discordeno/bot": "discord",
    "hono": "control",
    "@hono/node-server": "control",
    "node:child_process": "base",
  };
  for (const [name, owner] of Object.entries(owners)) {
    for (
      const source of name.startsWith("node:")
        ? [name]
        : [name, `${name}/deep/er`, `npm:${name}@1.2.3/x`]
    ) {
      const other = owner === "agent" ? "discord" : "agent";
      allows(`lib/${owner}/a.ts`, `import x from "${source}";`);
      refuses(
        `lib/${other}/a.ts`,
        `import x from "${source}";`,
        new RegExp(`Only ${owner}/ may import`),
      );
      refuses(
        `lib/${other}/a.ts`,
        `await import("${source}");`,
        new RegExp(`Only ${owner}/ may import`),
      );
    }
  }
});

test("a package without an owner is refused", () => {
  refuses("lib/base/a.ts", `import x from "lodash";`, /"lodash" has no owner folder/);
  refuses("lib/base/a.ts", `import { readFileSync } from "fs";`, /"fs" has no owner folder/);
  refuses("lib/base/a.ts", `import x from "https://x.org/y.ts";`, /has no owner folder/);
  allows("lib/base/a.ts", `import { readFileSync } from "node:fs";`);
});

test("package names are found in every form of specifier", () => {
  assert.equal(packageName("hono/jwt"), "hono");
  assert.equal(packageName("npm:hono@4.1.0/jwt"), "hono");
  assert.equal(packageName("npm:@discordeno/bot@21.0.0"), "@discordeno/bot");
  assert.equal(packageName("@anthropic-ai/sdk/resources/x"), "@anthropic-ai/sdk");
  assert.equal(packageName("node:fs/promises"), "node:fs");
});

test("sweep has no async, no clock, no chance and no timers", () => {
  const bad: [string, RegExp][] = [
    ["export async function f() {}", /async functions/],
    ["export const f = async () => {};", /async functions/],
    ["await f();", /no await/],
    ["for await (const x of f()) g(x);", /no await/],
    ["export const f = () => Date.now();", /Date\.now/],
    ["export const f = () => new Date();", /new Date\(\)/],
    ["export const f = () => Date();", /Date\(\)/],
    ["export const f = () => Math.random();", /Math\.random/],
    ["export const f = () => performance.now();", /performance\.now/],
    ["setTimeout(f, 1);", /setTimeout/],
    ["export const f = () => process.env;", /no process/],
    ["export const f = () => new Promise(g);", /promises/],
  ];
  for (const [source, pattern] of bad) {
    refuses("lib/sweep/a.ts", source, pattern);
    allows("lib/store/a.ts", source);
  }
  allows("lib/sweep/a.ts", "export const f = (ms: number) => new Date(ms).toISOString();");
});

test("sweep imports no built-in that touches the world, nor such a file of base", () => {
  for (const name of ["node:fs", "node:fs/promises", "node:os", "node:process", "node:timers"]) {
    refuses("lib/sweep/a.ts", `import x from "${name}";`, /sweep\/ is pure/);
  }
  refuses("lib/sweep/a.ts", `import { x } from "../base/files.ts";`, /sweep\/ is pure/);
  allows("lib/sweep/a.ts", `import { createHash } from "node:crypto";`);
  allows("lib/sweep/a.ts", `import { nearest } from "../base/text.ts";`);
  allows("lib/sweep/a.ts", `import type { Clock } from "../base/clock.ts";`);
});

test("no Deno and no Bun in the program", () => {
  refuses("lib/base/a.ts", "export const f = () => Deno.cwd();", /ties the program to one runtime/);
  refuses(
    "commands/a.ts",
    "export const f = () => Bun.version;",
    /ties the program to one runtime/,
  );
  refuses(
    "commands/a.ts",
    "export const f = () => globalThis.Deno;",
    /ties the program to one runtime/,
  );
  allows("scripts/a.ts", "export const f = () => Deno.cwd();");
  allows("lib/base/a.ts", "export const f = () => process.versions.Deno;");
});

test("process.exit stands in main.ts only", () => {
  refuses("commands/a.ts", "process.exit(1);", /Only main\.ts/);
  refuses("lib/base/a.ts", "process.exitCode = 1;", /Only main\.ts/);
  refuses("lib/base/a.ts", `import { exit } from "node:process"; exit(1);`, /Only main\.ts/);
  allows("main.ts", "process.exit(1);");
});

test("console is for commands and the log", () => {
  refuses("lib/store/a.ts", "console.log(1);", /No console/);
  allows("lib/base/log.ts", "console.error(1);");
  allows("commands/a.ts", "console.log(1);");
});

test("exports have names and come from where they are made", () => {
  refuses("lib/base/a.ts", "export default function f() {}", /No default export/);
  refuses("lib/base/a.ts", "const a = 1; export { a as default };", /No default export/);
  refuses("lib/base/a.ts", `export * from "./b.ts";`, /No barrel/);
  allows("lib/base/a.ts", "export function f() {}");
  allows("scripts/a.ts", "export default 1;");
});

test("modules hold no state", () => {
  refuses("lib/base/a.ts", "let a = 1; export const f = () => a++;", /No module-level state/);
  refuses("lib/base/a.ts", "export let a = 1;", /No module-level state/);
  refuses("commands/a.ts", "var a = 1; f(a);", /No module-level state/);
  refuses("lib/base/a.ts", "const cache = new Map<string, string>(); f(cache);", /gets filled/);
  refuses("lib/base/a.ts", "const seen: string[] = []; f(seen);", /gets filled/);
  allows("lib/base/a.ts", "export function f() { let a = 1; const m = new Map(); return [a, m]; }");
  allows("lib/base/a.ts", `const NAMES = ["a"]; export const SET = new Set(NAMES);`);
});

test("only errors are classes", () => {
  refuses("lib/base/a.ts", "export class A {}", /Only errors are classes/);
  allows("lib/base/a.ts", "export class AError extends Error {}");
});

test("what the rules do not concern is left alone", () => {
  allows(
    "tests/unit/a.ts",
    `import x from "yaml"; import { y } from "../../lib/store/y.ts"; console.log(Deno);`,
  );
});

test("no folder can reach itself through the others", () => {
  function reach(from: string, seen: Set<string>): Set<string> {
    for (const to of Object.keys(MAY_IMPORT[from] ?? {})) {
      if (!seen.has(to)) reach(to, seen.add(to));
    }
    return seen;
  }
  for (const folder of Object.keys(MAY_IMPORT)) {
    assert.ok(!reach(folder, new Set()).has(folder), folder);
  }
});

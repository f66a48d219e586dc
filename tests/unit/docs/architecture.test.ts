import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { OWNER } from "../../../scripts/import-rules.ts";
import { doc, section, tables } from "../../support/documented-keys.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PAGE = doc("architecture.md");
const PAGES = [
  "README.md",
  "CHANGELOG.md",
  ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`),
];

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sources(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]
  ).filter((path) => path.endsWith(".ts"));
}

/** The value of `const NAME = 5 * 60_000;`, of the model or of an action. */
function valueOf(name: string): number {
  for (const path of [...sources("lib/sweep"), ...sources("lib/actions")]) {
    const text = readFileSync(join(ROOT, path), "utf8");
    const found = new RegExp(`^(?:export )?const ${name} = ([^;]+);`, "m").exec(text)?.[1];
    if (found === undefined) continue;
    return found.split(/ ([*+]) /).reduce((value, part, i, parts) => {
      if (i % 2 === 1) return value;
      const number = /^[\d_]+$/.test(part) ? Number(part.replaceAll("_", "")) : valueOf(part);
      return i === 0 ? number : parts[i - 1] === "*" ? value * number : value + number;
    }, 0);
  }
  throw new Error(`There is no constant ${name}`);
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000 };

test("the constants of docs/architecture.md have the values that it gives", () => {
  const rows = tables(PAGE, ["Constant", "Value", "Why"]).flat();
  assert.ok(rows.length >= 8);
  for (const [name = "", value = ""] of rows) {
    const [number, unit = ""] = value.split(" ");
    assert.equal(valueOf(name.replaceAll("`", "")), Number(number) * UNITS[unit]!, name);
  }
  for (const [, name] of PAGE.matchAll(/`([A-Z_]+_MS)`/g)) assert.ok(valueOf(name!) > 0);
});

test("the tree of docs/architecture.md is the tree", () => {
  const rows = tables(section(PAGE, "## The tree"), ["Path", "What is there"]).flat();
  const listed = rows.map(([path = ""]) => path.replaceAll("`", "").replace(/\/$/, ""));
  for (const path of listed) assert.ok(existsSync(join(ROOT, path)), path);
  const folders = readdirSync(join(ROOT, "lib")).map((name) => `lib/${name}`);
  for (const folder of folders) assert.ok(listed.includes(folder), folder);
});

test("files and packages that docs/architecture.md names are there, or have an owner", () => {
  const named = [
    ...PAGE.matchAll(
      /`((?:scripts|tests|actions|sweep|store|schedulers|lib|commands)\/[\w/.-]+)`/g,
    ),
  ]
    .map(([, path]) => path!);
  assert.ok(named.length > 10);
  for (const path of named) {
    const found = [path, `lib/${path}`].some((one) => existsSync(join(ROOT, one)));
    assert.ok(found, path);
  }
  for (const name of Object.keys(OWNER).filter((one) => !one.startsWith("node:"))) {
    assert.ok(PAGE.includes(`\`${name}\``), name);
  }
});

/** As GitHub makes them: lower case, punctuation gone, spaces become hyphens. */
function anchors(page: string): Set<string> {
  const text = readFileSync(join(ROOT, page), "utf8").replace(/^```[^]*?^```$/gm, "");
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-")
    ),
  );
}

test("every link between README and docs leads to a file and a heading", () => {
  for (const page of PAGES) {
    const text = readFileSync(join(ROOT, page), "utf8");
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = "", anchor] = target!.split("#");
      const file = path === "" ? page : posix.join(posix.dirname(page), path);
      assert.ok(existsSync(join(ROOT, file)), `${page}: ${target}`);
      if (anchor === undefined || statSync(join(ROOT, file)).isDirectory()) continue;
      assert.ok(anchors(file).has(anchor), `${page}: ${target}`);
    }
  }
});

test("every page of docs is linked from the README", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  for (const page of PAGES.slice(1)) assert.ok(readme.includes(`](${page})`), page);
});

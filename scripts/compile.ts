/**
 * deno task compile [--target TARGET] [--out FILE]
 *
 * Writes the one executable. Nothing in the folder where it is started and no
 * BUN_* variable changes what it does: `.env`, `bunfig.toml`, `tsconfig.json`
 * and `package.json` are not loaded, and `seal` removes the variables.
 */
import { parseArgs } from "node:util";
import { BUN, ensureInstalled, outputOf, ROOT } from "./setup.ts";
import { PICTURE_FILES } from "../lib/daemon/picture-materials.ts";
import { seal } from "./seal.ts";

export const TARGETS = ["x64", "x64-baseline", "arm64", "x64-musl", "x64-musl-baseline"] as const;
export type Target = (typeof TARGETS)[number];

export interface CompileOptions {
  target?: Target;
  /** Where to write; by default `herd` in the checkout, or `dist/herd-linux-TARGET` for another target. */
  out?: string;
}

/** Compiles and gives back the path. A running executable of that name goes on undisturbed. */
export async function compile(options: CompileOptions = {}): Promise<string> {
  await ensureInstalled();
  const native = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const target = options.target ?? native;
  const out = options.out ??
    (options.target === undefined ? `${ROOT}herd` : `${ROOT}dist/herd-linux-${target}`);
  // Beside the goal, so that the rename stays on one file system. The name inside
  // is always the same, as Bun writes it into the file: equal sources, equal bytes.
  const folder = await Deno.makeTempDir({ dir: await folderOf(out), prefix: ".compile-" });
  try {
    const made = `${folder}/herd`;
    await build(made, target, { ...await facts(), HERD_TARGET: target });
    const bytes = await Deno.readFile(made);
    seal(bytes);
    await Deno.writeFile(made, bytes, { mode: 0o755 });
    if (target === native) await prove(made);
    await Deno.rename(made, out);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return out;
}

async function folderOf(path: string): Promise<string> {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
  await Deno.mkdir(folder, { recursive: true });
  return folder;
}

/** What the binary says about itself; no date, as the same source gives the same bytes. */
async function facts(): Promise<Record<string, string>> {
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const commit = Deno.env.get("HERD_COMMIT") ||
    await outputOf(["git", "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]);
  return { HERD_VERSION: version, HERD_COMMIT: commit ?? "unknown" };
}

async function build(out: string, target: Target, defines: Record<string, string>): Promise<void> {
  const argv = [
    ...["build", "--compile", "--bytecode", "--format=esm", "--minify"],
    ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
    ...["--no-compile-autoload-tsconfig", "--no-compile-autoload-package-json"],
    // A native part that ssh2 can do without; its build is not in node_modules.
    ...["--external", "cpu-features"],
    ...[`--target=bun-linux-${target}`, `--outfile=${out}`],
    ...Object.values(PICTURE_FILES).flatMap((file) => ["--asset", `node_modules/${file}`]),
    ...Object.entries(defines).map(([name, value]) => `--define=${name}=${JSON.stringify(value)}`),
    `${ROOT}main.ts`,
  ];
  const { success, stdout, stderr } = await new Deno.Command(BUN, {
    args: argv,
    cwd: ROOT,
    env: { BUN_OPTIONS: "", BUN_BE_BUN: "" },
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`Cannot compile:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

/** A binary that starts and that BUN_BE_BUN does not turn into bun; a bad one is never put in place. */
async function prove(path: string): Promise<void> {
  const { success, stdout } = await new Deno.Command(path, {
    args: ["--version"],
    env: { BUN_BE_BUN: "1", BUN_OPTIONS: "--preload=./nowhere.ts" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  if (!success || !said.startsWith("herd ")) {
    throw new Error(`Cannot use the compiled binary: with BUN_BE_BUN=1 it says "${said.trim()}"`);
  }
}

/** Whether the executable is missing or older than a source file. */
export async function isStale(out = `${ROOT}herd`): Promise<boolean> {
  const made = (await Deno.stat(out).catch(() => undefined))?.mtime?.getTime();
  if (made === undefined) return true;
  for (
    const path of ["main.ts", "deno.json", "deno.lock", "lib", "commands", "scripts", "example"]
  ) {
    if (await newest(`${ROOT}${path}`) > made) return true;
  }
  return false;
}

async function newest(path: string): Promise<number> {
  const found = await Deno.stat(path).catch(() => undefined);
  let time = found?.mtime?.getTime() ?? 0;
  if (!found?.isDirectory) return time;
  for await (const entry of Deno.readDir(path)) {
    if (entry.name === "__pycache__") continue;
    time = Math.max(time, await newest(`${path}/${entry.name}`));
  }
  return time;
}

function readOptions(argv: string[]): CompileOptions {
  const { values } = parseArgs({
    args: argv,
    options: { target: { type: "string" }, out: { type: "string" } },
  });
  const target = TARGETS.find((one) => one === values.target);
  if (values.target !== undefined && target === undefined) {
    throw new Error(`Unknown target "${values.target}", allowed are ${TARGETS.join(", ")}`);
  }
  return {
    ...(target === undefined ? {} : { target }),
    ...(values.out === undefined ? {} : { out: values.out }),
  };
}

if (import.meta.main) {
  try {
    const out = await compile(readOptions(Deno.args));
    const { size } = await Deno.stat(out);
    console.log(`Compiled ${out} (${(size / 1e6).toFixed(0)} MB)`);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}

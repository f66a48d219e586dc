/** Runs folders of tests and adds up what Deno says of them. */
import { ROOT } from "./setup.ts";

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export interface Suite {
  /** Folders or files, relative to the checkout. */
  paths: readonly string[];
  /** Two files at a time; only for tests that share nothing. */
  parallel: boolean;
  /** A suite that takes longer is ended and counts as failed. Minutes. */
  limit: number;
  env?: Record<string, string>;
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((all, one) => ({
    passed: all.passed + one.passed,
    failed: all.failed + one.failed,
    skipped: all.skipped + one.skipped,
  }), NOTHING);
}

/** The numbers of Deno's last result line; undefined when there is none, as after a type error. */
export function readTally(output: string): Tally | undefined {
  // deno-lint-ignore no-control-regex -- colours are control characters
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const line = [...plain.matchAll(/^(?:ok|FAILED) \| \d+ passed.*$/gm)].at(-1)?.[0];
  if (line === undefined) return undefined;
  const number = (word: string) => Number(line.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return { passed: number("passed"), failed: number("failed"), skipped: number("ignored") };
}

/** Runs the suite's tests, showing what they print; a run without a result counts as one failure. */
export async function runSuite(suite: Suite): Promise<Tally> {
  const files = await testFiles(suite.paths);
  if (files.length === 0) return NOTHING;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...(suite.parallel ? ["--parallel"] : []), ...files],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    env: { DENO_JOBS: "2", DENO_NO_UPDATE_CHECK: "1", ...suite.env },
  }).spawn();
  const timer = setTimeout(() => {
    console.error(`Took longer than ${suite.limit} minutes: ended`);
    child.kill("SIGKILL");
  }, suite.limit * 60_000);
  const output = await showAndKeep(child.stdout);
  const { code } = await child.status;
  clearTimeout(timer);
  const tally = readTally(output) ?? { ...NOTHING, failed: 1 };
  // A leak, or an error outside of tests, fails the run although all tests passed.
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

/** How many tests stand in these files, for a suite that cannot run here. */
export async function countTests(paths: readonly string[]): Promise<number> {
  let count = 0;
  for (const file of await testFiles(paths)) {
    const text = await Deno.readTextFile(`${ROOT}${file}`);
    count += text.match(/^\s*(?:test|it)\(/gm)?.length ?? 0;
  }
  return count;
}

async function testFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await Deno.stat(`${ROOT}${path}`).catch(() => undefined);
    if (found?.isFile) files.push(path);
    if (!found?.isDirectory) continue;
    const names = [];
    for await (const entry of Deno.readDir(`${ROOT}${path}`)) {
      if (entry.isDirectory || entry.name.endsWith(".test.ts")) names.push(`${path}/${entry.name}`);
    }
    files.push(...await testFiles(names.sort()));
  }
  return files;
}

async function showAndKeep(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let kept = "";
  for await (const chunk of stream) {
    await Deno.stdout.write(chunk);
    kept = (kept + decoder.decode(chunk, { stream: true })).slice(-100_000);
  }
  return kept;
}

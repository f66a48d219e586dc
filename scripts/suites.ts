/** Runs folders of tests and adds up what Deno says of them. */
import { ROOT } from "./setup.ts";

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** Tests that failed, and passed when they were run once more: counted as passed, and told. */
  late?: readonly string[];
}

export interface Suite {
  /** Folders or files, relative to the checkout. */
  paths: readonly string[];
  /** Two files at a time; only for tests that share nothing. */
  parallel: boolean;
  /** A suite that takes longer is ended and counts as failed. Minutes. */
  limit: number;
  /**
   * Files with a failure are run once more, alone: a real cluster on a machine that others share
   * may miss a deadline. What passes only then is named in the closing lines.
   */
  secondTry?: boolean;
  env?: Record<string, string>;
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

export function sum(tallies: readonly Tally[]): Tally {
  const late = tallies.flatMap((one) => one.late ?? []);
  const numbers = tallies.reduce((all, one) => ({
    passed: all.passed + one.passed,
    failed: all.failed + one.failed,
    skipped: all.skipped + one.skipped,
  }), NOTHING);
  return late.length === 0 ? numbers : { ...numbers, late };
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

/** The failed tests of Deno's last list: name and file. */
export function readFailures(output: string): { name: string; file: string }[] {
  // deno-lint-ignore no-control-regex -- colours are control characters
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const list = plain.slice(plain.lastIndexOf(" FAILURES "));
  if (!plain.includes(" FAILURES ")) return [];
  return [...list.matchAll(/^(.+) => \.\/(\S+?):\d+:\d+$/gm)].map(([, name, file]) => ({
    name: name!,
    file: file!,
  }));
}

/** Runs the suite's tests, showing what they print; a run without a result counts as one failure. */
export async function runSuite(suite: Suite): Promise<Tally> {
  return await tryAgain(suite, await runOnce(suite, Deno.stdout));
}

/**
 * Runs these suites one after the other, and another one at the same time: all of them wait more
 * than they work. What that one prints is shown at the end; what failed is tried again after
 * everything, alone.
 */
export async function runBeside(suites: readonly Suite[], beside: Suite): Promise<Tally> {
  const kept: Uint8Array[] = [];
  const other = runOnce(beside, {
    write: (chunk) => Promise.resolve(kept.push(chunk)),
  });
  const outcomes: [Suite, Outcome][] = [];
  for (const suite of suites) outcomes.push([suite, await runOnce(suite, Deno.stdout)]);
  outcomes.push([beside, await other]);
  for (const chunk of kept) await Deno.stdout.write(chunk);
  const tallies: Tally[] = [];
  for (const [suite, outcome] of outcomes) tallies.push(await tryAgain(suite, outcome));
  return sum(tallies);
}

interface Outcome {
  tally: Tally;
  failures: readonly { name: string; file: string }[];
}

interface Shown {
  write(chunk: Uint8Array): Promise<number>;
}

async function runOnce(suite: Suite, shown: Shown): Promise<Outcome> {
  const files = await testFiles(suite.paths);
  return files.length === 0
    ? { tally: NOTHING, failures: [] }
    : await runFiles(files, suite, shown);
}

async function tryAgain(suite: Suite, { tally, failures }: Outcome): Promise<Tally> {
  // Each failure must be one that is known by name: a leak or an ended run is none.
  if (suite.secondTry !== true || tally.failed === 0 || failures.length !== tally.failed) {
    return tally;
  }
  const again = [...new Set(failures.map(({ file }) => file))];
  console.log(`Once more: ${again.join(", ")}`);
  const second = await runFiles(again, suite, Deno.stdout);
  const still = new Set(second.failures.map(({ name, file }) => `${file} ${name}`));
  const late = failures.filter(({ name, file }) => !still.has(`${file} ${name}`))
    .map(({ name }) => name);
  if (second.tally.failed !== second.failures.length) return tally;
  return {
    passed: tally.passed + late.length,
    failed: second.tally.failed,
    skipped: tally.skipped,
    ...(late.length === 0 ? {} : { late }),
  };
}

async function runFiles(
  files: readonly string[],
  suite: Suite,
  shown: Shown,
): Promise<Outcome> {
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
  const output = await showAndKeep(child.stdout, shown);
  const { code } = await child.status;
  clearTimeout(timer);
  const tally = readTally(output) ?? { ...NOTHING, failed: 1 };
  // A leak, or an error outside of tests, fails the run although all tests passed.
  return {
    tally: code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally,
    failures: readFailures(output),
  };
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

async function showAndKeep(stream: ReadableStream<Uint8Array>, shown: Shown): Promise<string> {
  const decoder = new TextDecoder();
  let kept = "";
  for await (const chunk of stream) {
    await shown.write(chunk);
    kept = (kept + decoder.decode(chunk, { stream: true })).slice(-100_000);
  }
  return kept;
}

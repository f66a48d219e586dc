import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ended, type RunOptions, runProcess } from "../../../lib/base/process.ts";
import { removeTree } from "../../support/remove-tree.ts";

export const EXAMPLE = fileURLToPath(new URL("../../../example", import.meta.url));
export const HELPER = fileURLToPath(new URL("../../../commands/init", import.meta.url));
/** HERD_TEST_PYTHON tries another version of Python. */
export const PYTHON = process.env["HERD_TEST_PYTHON"] ?? "python3";

/** Options for tests that need Python: a reason to skip where there is none. */
export async function pythonOptions(): Promise<{ skip?: string }> {
  const probe = "import sys; sys.exit(sys.version_info < (3, 6))";
  const ended = await runProcess([PYTHON, "-c", probe], { timeoutMs: 60_000 });
  return ended.ok ? {} : { skip: `no Python 3.6 or newer as ${PYTHON}` };
}

export interface Trial extends Disposable {
  workspace: string;
  index: number;
  env: Record<string, string>;
  /** A path under `.hyperherd/results`. */
  result(...parts: string[]): string;
  /** Records of a metric's stream, NaN and all. */
  stream(metric: string): { step: number; value: number; ts: number }[];
  final(): Record<string, unknown>;
  sendSignal(action: string): void;
  python(source: string, arguments_?: readonly string[], options?: RunOptions): Promise<Ended>;
  train(...overrides: string[]): Promise<Ended>;
}

/** A workspace with the one file that trainers look for, and one trial in it. */
export function makeTrial(index = 3): Trial {
  const workspace = mkdtempSync(join(tmpdir(), "herd trial "));
  mkdirSync(join(workspace, ".hyperherd"));
  writeFileSync(join(workspace, ".hyperherd", "manifest.json"), "[]\n");
  const result = (...parts: string[]) => join(workspace, ".hyperherd", "results", ...parts);
  const env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "",
    LC_ALL: "C.UTF-8",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: HELPER,
    HYPERHERD_WORKSPACE: workspace,
    HYPERHERD_TRIAL_ID: `${index}`,
  };
  return {
    workspace,
    index,
    env,
    result,
    stream: (metric) =>
      readFileSync(result(`${index}`, "stream", `${metric}.jsonl`), "utf8")
        .split("\n").filter((line) => line !== "").map(parsePythonJson) as ReturnType<
          Trial["stream"]
        >,
    final: () =>
      parsePythonJson(readFileSync(result(`${index}.json`), "utf8")) as Record<string, unknown>,
    sendSignal(action) {
      const path = result(`${index}`, "_signal");
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, action);
    },
    python: (source, arguments_ = [], options = {}) =>
      runProcess([PYTHON, "-c", source, ...arguments_], {
        cwd: workspace,
        env,
        timeoutMs: 120_000,
        ...options,
      }),
    train: (...overrides) =>
      runProcess([PYTHON, join(EXAMPLE, "train.py"), ...overrides], {
        cwd: workspace,
        env: { ...env, PYTHONPATH: "" },
        timeoutMs: 120_000,
      }),
    [Symbol.dispose]: () => removeTree(workspace),
  };
}

/** JSON with Python's NaN and Infinity, which become text here so that tests can name them. */
export function parsePythonJson(text: string): unknown {
  return JSON.parse(text.replace(/(?<=: )(NaN|-?Infinity)/g, '"$1"'));
}

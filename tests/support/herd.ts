import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeTree } from "./remove-tree.ts";

/** The compiled binary under test. */
export const HERD = process.env["HERD_BINARY"] ??
  fileURLToPath(new URL("../../herd", import.meta.url));

export interface Said {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Runs the compiled binary to its end. */
export function herd(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(HERD, args, {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: "1", HERD_TEST_HOOKS: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => stdout += chunk);
    child.stderr.on("data", (chunk) => stderr += chunk);
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 120_000);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** Runs a command that must succeed and gives back its JSON document. */
export async function herdJson<T = Record<string, unknown>>(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<T> {
  const said = await herd([...args, "--json"], options);
  if (said.code !== 0 && said.code !== 1) {
    throw new Error(`herd ${args.join(" ")}: exit ${said.code}\n${said.stdout}\n${said.stderr}`);
  }
  return JSON.parse(said.stdout) as T;
}

export interface StatusDocument {
  totals: Record<string, number>;
  warnings: string[];
  trials: {
    index: number;
    status: string;
    cause: string | null;
    exit_code: number | null;
    signal: string | null;
    elapsed_seconds: number | null;
    max_rss_bytes: number | null;
    experiment_name: string;
    attempts: number;
    restarts: number;
    silent_seconds: number | null;
    node: string | null;
    note: string | null;
    job_id: string | null;
  }[];
}

export function statusOf(
  workspace: string,
  env: Record<string, string> = {},
): Promise<StatusDocument> {
  return herdJson<StatusDocument>(["status", workspace], { env });
}

/** Asks for the status until it is as wanted; the last answer is in the error when it never is. */
export async function untilStatus(
  workspace: string,
  wanted: (status: StatusDocument) => boolean,
  timeoutMs = 90_000,
  env: Record<string, string> = {},
): Promise<StatusDocument> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const status = await statusOf(workspace, env);
    if (wanted(status)) return status;
    if (Date.now() > until) {
      const found = status.trials.map((t) => `${t.index}=${t.status}(${t.cause ?? t.note ?? ""})`);
      throw new Error(`Not as wanted after ${timeoutMs} ms: ${found.join(" ")} ${status.warnings}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** A workspace of its own, removed by `remove`. */
export function makeSweep(files: { yaml: string; launcher: string }, name = "herd-sweep-"): {
  path: string;
  write(file: string, text: string): void;
  read(file: string): string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), name));
  const write = (file: string, text: string) => {
    mkdirSync(join(path, file, ".."), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  write("hyperherd.yaml", files.yaml);
  write("launch.sh", files.launcher);
  chmodSync(join(path, "launch.sh"), 0o755);
  return {
    path,
    write,
    read: (file) => readFileSync(join(path, file), "utf8"),
    remove: () => removeTree(path),
  };
}

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess } from "../base/process.ts";
import type { Sandbox } from "./sandbox.ts";
import type { WrapSandbox } from "./wrap-sandbox.ts";

/** It must have held, not only have been started: each line is an attempt at getting out. */
const ESCAPES = [
  "set -u",
  'echo x > "$1/inside" || { echo "its own folder cannot be written"; exit 1; }',
  'if (echo x > "$2/written") 2>/dev/null; then echo "a file outside was written"; exit 1; fi',
  'if (read -r line < "$2/secret") 2>/dev/null; then echo "a file outside was read"; exit 1; fi',
  'if (read -r line < "/proc/$3/environ") 2>/dev/null; then echo "the environment of another process was read"; exit 1; fi',
  'if kill -0 "$3" 2>/dev/null; then echo "another process could be signalled"; exit 1; fi',
  "echo confined",
].join("\n");

const PATIENCE_MS = 10_000;

/** Tries a way of confining for real; undefined when it held, else what went wrong, as the end of a sentence. */
export async function tryConfining(
  wrap: WrapSandbox,
  network: boolean,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "herd-probe-")));
  try {
    const [folder, outside] = [join(base, "folder"), join(base, "outside")];
    mkdirSync(folder);
    mkdirSync(outside);
    writeFileSync(join(outside, "secret"), "secret\n");
    const sandbox: Sandbox = { level: "workspace", network };
    const words = ["/bin/sh", "-c", ESCAPES, "sh", folder, outside, String(process.pid)];
    const wrapped = wrap(words, { sandbox, folder });
    if ("refused" in wrapped) return wrapped.refused;
    const ended = await runProcess(wrapped.argv, { cwd: folder, env, timeoutMs: PATIENCE_MS });
    if (ended.ok && ended.stdout === "confined\n") return undefined;
    if (ended.spawnError !== undefined) return `it cannot be started (${ended.spawnError})`;
    if (ended.timedOut) return "it did not come to an end";
    return lastLine(ended.stderr) ?? lastLine(ended.stdout) ?? `it ended with ${ended.exitCode}`;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function lastLine(text: string): string | undefined {
  const line = text.trim().split("\n").at(-1)?.trim();
  return line === undefined || line === "" ? undefined : line.slice(0, 300);
}

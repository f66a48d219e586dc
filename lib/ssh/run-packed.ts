import { gunzipSync } from "node:zlib";
import type { Ended } from "../base/process.ts";
import type { SshHost, SshRunOptions } from "./ssh-host.ts";

/**
 * Begins with a line that says so where the host can pack, and ends, within what is packed, with the
 * exit code. As text, since that is what programs' outputs are kept as.
 */
const SCRIPT = `if command -v gzip >/dev/null 2>&1 && command -v base64 >/dev/null 2>&1; then
  echo packed
  { "$@"; printf '\\n%s' "$?"; } | gzip -c | base64
else exec "$@"
fi`;

/**
 * Runs a program whose output is long and much like itself, such as a listing: a tenth of it
 * travels. ssh2's own compression needs more of node:zlib than Deno has. Never throws.
 */
export async function runPacked(
  host: Pick<SshHost, "run">,
  argv: readonly string[],
  options: SshRunOptions = {},
): Promise<Ended> {
  const ended = await host.run(["/bin/sh", "-c", SCRIPT, "sh", ...argv], options);
  if (!ended.ok || !ended.stdout.startsWith("packed\n")) return { ...ended, argv: [...argv] };
  const whole = unpacked(ended.stdout.slice("packed\n".length));
  const [, stdout = "", code = ""] = /^([^]*)\n(\d+)$/.exec(whole ?? "") ?? [];
  if (code === "") {
    const stderr = `${ended.stderr}\nWhat ${argv[0]} printed cannot be unpacked`.trim();
    return { ...ended, argv: [...argv], ok: false, exitCode: undefined, stdout: "", stderr };
  }
  const exitCode = Number(code);
  return { ...ended, argv: [...argv], ok: exitCode === 0, exitCode, stdout };
}

function unpacked(base64: string): string | undefined {
  try {
    return new TextDecoder().decode(gunzipSync(Buffer.from(base64, "base64")));
  } catch {
    return undefined;
  }
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "../base/files.ts";

/** A secret in a file of ours alone, for as long as it is not disposed. */
export interface TokenFile extends Disposable {
  path: string;
  write(token: string): void;
}

export function createTokenFile(env: Readonly<Record<string, string | undefined>>): TokenFile {
  const runtime = env["XDG_RUNTIME_DIR"];
  const folder = makeFolder(runtime?.startsWith("/") ? [runtime, tmpdir()] : [tmpdir()]);
  const path = join(folder, "token");
  return {
    path,
    write: (token) => replaceFile(path, `${token}\n`, 0o600),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** XDG_RUNTIME_DIR of a session that is over is not there any more. */
function makeFolder([first, ...rest]: readonly string[]): string {
  try {
    return mkdtempSync(join(first!, "herd-tunnel-"));
  } catch (error) {
    if (rest.length === 0) throw error;
    return makeFolder(rest);
  }
}

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { say } from "../open.ts";
import type { PoolContext } from "./options.ts";

/** An OpenClaw openclaw.json as the section `pool` of herd's configuration, on standard output. */
export async function importSettings(
  { cwd, out, json }: PoolContext,
  [file, ...more]: readonly string[],
): Promise<number> {
  if (file === undefined || more.length > 0) {
    throw new UserError("Cannot import: one file is wanted", {
      hint: "herd pool import ~/.openclaw/openclaw.json",
    });
  }
  const path = resolve(cwd, file);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(`Cannot read "${path}": ${(error as Error).message}`);
  }
  const { importOpenclaw } = await import("../../lib/daemon/import-settings.ts");
  const { yaml, notices } = importOpenclaw(text);
  if (json) out.json({ yaml, notices });
  else {
    notices.forEach((notice) => say(out, notice));
    out.write(yaml);
  }
  return EXIT.done;
}

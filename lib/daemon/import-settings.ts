import { readFileSync, statSync } from "node:fs";
import { UserError } from "../base/errors.ts";
import { readDotenv } from "../store/dotenv.ts";
import { importOpenclaw } from "../tasks/import-openclaw.ts";
import type { Imported } from "../tasks/import-openclaw.ts";
import { importOrchestration, isOrchestration } from "../tasks/import-orchestration.ts";
import type { ImportedOrchestration } from "../tasks/import-orchestration.ts";

/** More than any such file has. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * The settings of another program: OpenClaw's `openclaw.json`, or discord-orchestration's
 * `discord-config.env`, told apart by what is in them. Throws UserError; no part of the file is shown.
 */
export function importSettings(path: string): Imported | ImportedOrchestration {
  const text = read(path);
  if (/^\uFEFF?\s*(\{|\/\/|\/\*)/.test(text)) return importOpenclaw(text);
  const { values, notices } = readDotenv(path);
  if (!isOrchestration(values)) {
    throw new UserError(
      `Cannot import "${path}": it is neither OpenClaw's openclaw.json nor the ` +
        "discord-config.env of discord-orchestration",
    );
  }
  const made = importOrchestration(values);
  return { ...made, notices: [...notices.map(({ message }) => message), ...made.notices] };
}

function read(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES) {
      throw new UserError(`Cannot import "${path}": it has ${size} bytes, more than ${MOST_BYTES}`);
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot read "${path}": ${(error as Error).message}`);
  }
}

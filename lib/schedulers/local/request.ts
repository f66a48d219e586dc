import { randomBytes } from "node:crypto";
import { readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { codeOf, readIfThere, replaceFile } from "../../base/files.ts";
import { wakeSupervisor } from "./spool.ts";

/** What anybody may ask of a supervisor. Doing one twice does no harm. */
export type Request =
  | { kind: "cancel"; jobId: string; tasks: readonly number[] }
  | { kind: "throttle"; jobId: string; limit: number | null };

/** Leaves a request in the spool; it is heard by the supervisor of now or the next one. */
export function writeRequest(spool: string, request: Request, now: number): void {
  const name = `${`${now}`.padStart(15, "0")}-${randomBytes(6).toString("hex")}.json`;
  replaceFile(join(spool, "requests", name), JSON.stringify(request), 0o600);
  wakeSupervisor(spool);
}

/** The requests that wait, oldest first, each with the file to remove when it is done. */
export function readRequests(spool: string): { path: string; request: Request }[] {
  const found: { path: string; request: Request }[] = [];
  for (const name of readdirSync(join(spool, "requests")).sort()) {
    if (!name.endsWith(".json")) continue;
    const path = join(spool, "requests", name);
    const text = readIfThere(path);
    if (text !== undefined) found.push({ path, request: JSON.parse(text) as Request });
  }
  return found;
}

/** Forgets a request that was done. */
export function removeRequest(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { codeOf } from "../../lib/base/files.ts";
import { renderTable } from "../../lib/base/table.ts";
import { visible } from "../../lib/base/width.ts";
import type { Context } from "../command.ts";
import type { PoolDoor } from "../pool-door.ts";
import type { TaskDocument } from "./show-task.ts";

/** Larger ones stay with the worker; see lib/daemon/pool-files.ts. Bytes. */
const MOST_KEPT = 25 * 1024 * 1024;

/** Lists what the attempt that counts has left, or, with a folder, fetches it. */
export async function taskFiles(
  { out, json, cwd }: Pick<Context, "out" | "json" | "cwd">,
  door: PoolDoor,
  { id, into }: { id: string; into: string | undefined },
): Promise<number> {
  const place = `/v1/pool/tasks/${encodeURIComponent(id)}`;
  const task = await door.request<TaskDocument>("GET", place);
  const attempt = task.attempts.findLast(({ files }) => files.length > 0);
  const files = attempt?.files ?? [];
  if (attempt === undefined || into === undefined) {
    if (json) out.json({ task: task.task, epoch: attempt?.epoch ?? null, files });
    else if (files.length === 0) out.print("No files");
    else listing(files, out.columns).forEach((line) => out.print(line));
    return EXIT.done;
  }
  const goal = resolve(cwd, into);
  const fetched: string[] = [];
  const missing: string[] = [];
  for (const { path, bytes: size } of files) {
    const query = new URLSearchParams({ path, epoch: `${attempt.epoch}` });
    let bytes: Uint8Array;
    try {
      bytes = await door.bytes(`${place}/file?${query}`);
    } catch (error) {
      missing.push(path);
      const where = attempt.folder === null ? "" : ` ${visible(attempt.folder)}`;
      const why = size > MOST_KEPT
        ? `it has ${size} bytes, at most ${MOST_KEPT} are brought here`
        : (error as Error).message;
      out.printError(`${visible(path)}: ${why}; it is on ${visible(attempt.worker)} in${where}`);
      continue;
    }
    put(goal, path, bytes);
    fetched.push(path);
    if (!json) out.print(visible(path));
  }
  if (json) out.json({ task: task.task, epoch: attempt.epoch, folder: goal, fetched, missing });
  return missing.length === 0 ? EXIT.done : EXIT.negative;
}

function listing(files: TaskDocument["attempts"][number]["files"], width: number) {
  return renderTable(
    [{ title: "bytes", align: "right" }, { title: "file", shrinkTo: 10 }],
    files.map(({ path, bytes }) => [`${bytes}`, path]),
    { width },
  );
}

/** A name that a worker gave: never out of the folder, never over what is there. */
function put(goal: string, path: string, bytes: Uint8Array): void {
  const inside = !path.includes("\0") &&
    path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
  if (!inside) throw new UserError(`Cannot write "${path}": it leads out of the folder`);
  const full = join(goal, path);
  try {
    mkdirSync(dirname(full), { recursive: true });
    const there = realpathSync(dirname(full));
    const root = realpathSync(goal);
    if (there !== root && !there.startsWith(`${root}/`)) {
      throw new UserError(`Cannot write "${full}": a link leads out of the folder`);
    }
    writeFileSync(full, bytes, { flag: "wx" });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      codeOf(error) === "EEXIST"
        ? `Cannot write "${full}": it is there already`
        : `Cannot write "${full}": ${(error as Error).message}`,
      { hint: "Name a folder of its own with --out" },
    );
  }
}

import { lstatSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { RefusedError, UserError } from "../base/errors.ts";
import { readIfThere, replaceFile } from "../base/files.ts";
import { z } from "../base/schema.ts";

const Identity = z.object({
  worker: z.string(),
  secret: z.string().optional(),
  via: z.enum(["http", "files", "discord"]),
  /** `http://127.0.0.1:PORT`; undefined: the daemon of this user on this host, wherever it listens. */
  address: z.string().optional(),
  /** The pool's folder, for `files`. */
  pool: z.string().optional(),
  /** For `discord`: the thread, whom alone to heed there, who it is itself, where its token is. */
  mailbox: z.object({
    channel: z.string(),
    coordinator: z.string(),
    bot: z.string(),
    tokenEnv: z.string(),
  }).optional(),
});

/** Who a worker is to its pool. */
export type WorkerIdentity = z.infer<typeof Identity>;

/** Undefined when it never enrolled. Throws UserError for a file that cannot be used. */
export function readIdentity(path: string): WorkerIdentity | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  if ((lstatSync(path).mode & 0o077) !== 0) {
    throw new UserError(`Cannot use "${path}": others can read the worker's secret`, {
      hint: `chmod 600 "${path}", or enrol the worker anew`,
    });
  }
  try {
    return Identity.parse(JSON.parse(text));
  } catch {
    throw new UserError(`Cannot use "${path}": it is damaged`, {
      hint: "Remove it and enrol the worker anew (`herd pool enrol NAME`)",
    });
  }
}

export function writeIdentity(path: string, identity: WorkerIdentity): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const known = readIdentity(path);
  if (known !== undefined && known.worker !== identity.worker) {
    throw new RefusedError(`Cannot enrol: "${path}" is worker "${known.worker}"`);
  }
  replaceFile(path, `${JSON.stringify(identity, null, 2)}\n`, 0o600);
}

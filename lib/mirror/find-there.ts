import { join } from "node:path";
import type { RemoteFiles } from "../ssh/remote-files.ts";
import type { LocalFile } from "./choose-files.ts";
import { hashOfBytes, type Sent, stampOf } from "./sent.ts";

export interface FindThereParts {
  /** The workspace there. */
  there: string;
  file: LocalFile;
  /** When it was last sent. */
  before: Sent | undefined;
  /** Of what is to be sent. */
  hash: string;
}

/** What stands where a file is to go: nothing that matters, that very file, or another hand's, by its new name. */
export type FoundThere =
  | { kind: "nothing" }
  | { kind: "the same"; sent: Sent }
  | { kind: "kept"; as: string };

/** A larger one is not read to see whether it is the same. Bytes. */
const SMALL = 4 * 1024 * 1024;

/**
 * What another hand wrote there is not written over: it is renamed, and its new name given. What
 * is there already, as after a life that could not write down what it sent, is not sent again.
 * Rejects with RemoteFileError or SshError.
 */
export async function findThere(
  files: Pick<RemoteFiles, "stat" | "readBytes" | "chmod" | "rename">,
  { there, file, before, hash }: FindThereParts,
): Promise<FoundThere> {
  const { path, size, mode, stamp } = file;
  if (path.startsWith(".hyperherd/") || before?.hash === hash) return { kind: "nothing" };
  const whole = join(there, path);
  const now = await files.stat(whole);
  if (now === undefined || now.kind !== "file") return { kind: "nothing" };
  if (before !== undefined && before.there === stampOf(now)) return { kind: "nothing" };
  if (now.size === size && size <= SMALL && hash === hashOfBytes(await files.readBytes(whole))) {
    if (now.mode !== mode) await files.chmod(whole, mode);
    return { kind: "the same", sent: { stamp, mode, hash, there: stampOf(now) } };
  }
  const as = await freeName(files, there, path);
  await files.rename(whole, join(there, as));
  return { kind: "kept", as };
}

async function freeName(
  files: Pick<RemoteFiles, "stat">,
  there: string,
  path: string,
): Promise<string> {
  for (let n = 1;; n++) {
    const name = n === 1 ? `${path}.there` : `${path}.there-${n}`;
    if (await files.stat(join(there, name)) === undefined) return name;
  }
}

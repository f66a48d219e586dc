import { lstatSync, readdirSync } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import { holdFolder } from "../base/held-folder.ts";
import { numberedName, safeName } from "./safe-name.ts";

/** Below a session's folder; what people attach is kept there. */
export const ATTACHMENTS = "attachments";

/** More files of one name than this are a flood. */
const MOST_ALIKE = 1_000;

/** A file that is being written; its name is its own from the first byte on. */
export interface SavedFile {
  /** Absolute, through the session's folder as it was given. */
  path: string;
  write(piece: Uint8Array): Promise<void>;
  /** All is there. */
  keep(): Promise<void>;
  /** It is taken away again. */
  drop(): Promise<void>;
}

/**
 * Begins a file in the session's attachments. Never overwrites, and never follows a link that the agent
 * put in the folder's place.
 */
export async function beginFile(sessionFolder: string, name: string): Promise<SavedFile> {
  const folder = holdFolder(sessionFolder, ATTACHMENTS, { create: true })!;
  try {
    const { file, name: own } = await create(folder.base, safeName(name));
    const end = async () => {
      await file.close();
      folder[Symbol.dispose]();
    };
    return {
      path: join(sessionFolder, ATTACHMENTS, own),
      async write(piece) {
        await file.writeFile(piece);
      },
      async keep() {
        await file.sync().catch(() => {});
        await end();
      },
      async drop() {
        await unlink(`${folder.base}/${own}`).catch(() => {});
        await end();
      },
    };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

async function create(base: string, name: string): Promise<{ file: FileHandle; name: string }> {
  for (let n = 1; n <= MOST_ALIKE; n++) {
    const own = numberedName(name, n);
    try {
      return { file: await open(`${base}/${own}`, "wx", 0o644), name: own };
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
  throw new Error(`Cannot save another file: there are ${MOST_ALIKE} of this name`);
}

/** Bytes of the files that a session's attachments hold. */
export function attachmentBytes(sessionFolder: string): number {
  using folder = holdFolder(sessionFolder, ATTACHMENTS);
  if (folder === undefined) return 0;
  return readdirSync(folder.base).reduce((sum, name) => {
    const state = lstatSync(`${folder.base}/${name}`, { throwIfNoEntry: false });
    return sum + (state?.isFile() ? state.size : 0);
  }, 0);
}

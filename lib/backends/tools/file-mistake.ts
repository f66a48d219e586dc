import { UserError } from "../../base/errors.ts";
import { codeOf } from "../../base/files.ts";

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is no folder",
  EISDIR: "it is a folder",
  ELOOP: "a link stands where a file or folder was expected",
  ENAMETOOLONG: "the name is too long",
  ENXIO: "it is no plain file",
};

/** Runs `work`; a call that failed because of the path is the model's mistake, in words. */
export function withPath<T>(verb: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const words = WORDS[codeOf(error) ?? ""];
    if (words === undefined || error instanceof UserError) throw error;
    throw new UserError(`Cannot ${verb} ${JSON.stringify(path)}: ${words}`, { cause: error });
  }
}

/** Bytes of a file as text; a file of another kind is a UserError. */
export function textOf(bytes: Uint8Array, path: string): string {
  try {
    if (!bytes.subarray(0, 8192).includes(0)) {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    }
  } catch {
    // Told below.
  }
  throw new UserError(`Cannot read ${JSON.stringify(path)}: it is no text in UTF-8`);
}

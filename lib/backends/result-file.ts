import { codeOf } from "../base/files.ts";
import { readConfined } from "./confined-file.ts";
import { placeIn } from "./confined-path.ts";

export const RESULT_FILE = "RESULT.txt";
/** A longer result is none that anybody reads. Bytes. */
export const MOST_RESULT = 8 * 1024 * 1024;

/** What RESULT.txt says; `none` is the rest of a sentence that begins with its name. */
export type ResultFile = { text: string } | { none: string };

/** The result that was left in the folder; a link that leads out of it is none. */
export function readResult(folder: string): ResultFile {
  let bytes: Uint8Array;
  try {
    bytes = readConfined(placeIn(folder), RESULT_FILE, { most: MOST_RESULT });
  } catch (error) {
    return { none: codeOf(error) === "ENOENT" ? "is not there" : "cannot be read" };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.trim() === "" ? { none: "is empty" } : { text };
  } catch {
    // A text that ends within a character was cut while it was written.
    return { none: "is no whole text in UTF-8" };
  }
}

/** Longest name of one folder or file, in bytes, as file systems have it. */
const LONGEST_NAME = 255;

/** Whether a path of a manifest leads to a place below its folder and nowhere else. */
export function isPlainPath(path: string): boolean {
  return path.length > 0 && path.length <= 1_024 && !path.includes("\0") &&
    path.split("/").every((name) =>
      name !== "" && name !== "." && name !== ".." && Buffer.byteLength(name) <= LONGEST_NAME
    );
}

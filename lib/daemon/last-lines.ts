import { tailLines } from "../store/log-tail.ts";

/** The end of a log for an error message; empty when there is none. */
export function lastLines(path: string, most = 10): string {
  return tailLines(path, most)?.lines.join("\n") ?? "";
}

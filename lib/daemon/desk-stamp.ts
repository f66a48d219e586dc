import { statSync } from "node:fs";
import { join } from "node:path";
import { metricSegments } from "../store/metric-name.ts";

/** Changes whenever a file is written to; "" while there is none or it cannot be seen. */
export function fileStamp(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino}:${size}:${mtimeMs}`;
  } catch {
    return "";
  }
}

/** Size in bytes; 0 while there is none or it cannot be seen. */
export function fileSize(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

/** Where a metric's stream is. `results` is the workspace's folder of results. */
export function streamPath(results: string, trial: number, metric: string): string {
  return `${join(results, `${trial}`, "stream", ...metricSegments(metric))}.jsonl`;
}

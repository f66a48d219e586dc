import { rmSync } from "node:fs";

/**
 * Removes a folder into which a trial that was told to end may still be writing
 * its last line. Deno's rmSync does not heed maxRetries.
 */
export function removeTree(path: string): void {
  for (let tries = 50;; tries--) {
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      const busy = ["ENOTEMPTY", "EBUSY", "ENOENT"];
      if (tries === 0 || !busy.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}

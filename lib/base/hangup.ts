import { readFileSync } from "node:fs";

/**
 * Whether this process was started to outlive its terminal, as `nohup` does it:
 * listening to the signal would undo that. To be asked before anything listens.
 */
export function isHangupIgnored(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
}

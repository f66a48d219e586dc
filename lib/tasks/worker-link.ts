import type { FilePiece, FileState, WorkerOrders, WorkerReport } from "./exchange.ts";

/** A worker's way to the coordinator. */
export interface WorkerLink {
  /**
   * Tells all and hears what to do. With `waitMs` the answer may take so long when there is nothing
   * to say; with 0 it comes at once. Throws LinkError, and the signal's reason when it aborts.
   */
  exchange(
    report: WorkerReport,
    how: { signal: AbortSignal; waitMs: number },
  ): Promise<WorkerOrders>;
  /** Gives one piece of a file; absent where files cannot go this way. Throws as `exchange` does. */
  send?(piece: FilePiece, signal: AbortSignal): Promise<FileState>;
}

/**
 * `unreachable`: nobody knows whether the report was heard; `refused`: the coordinator does not
 * know this worker; `unreadable`: what came is no answer. No secret in the message.
 */
export class LinkError extends Error {
  readonly kind: "unreachable" | "refused" | "unreadable";
  constructor(kind: LinkError["kind"], message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LinkError";
    this.kind = kind;
  }
}

/** Whether orders ask for something that the report does not show as done: then nobody should wait. */
export function saysMore(
  { assign, cancel, settled, stop, dismissed, send = [], forget = [] }: WorkerOrders,
  { attempts }: Pick<WorkerReport, "attempts">,
): boolean {
  if (dismissed !== undefined || assign.length + cancel.length + settled.length > 0) return true;
  if (send.length + forget.length > 0) return true;
  return stop && attempts.some(({ report }) => report === undefined);
}

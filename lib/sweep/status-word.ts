/** A trial's status in HyperHerd's words, and `unknown`, which HyperHerd called cancelled. */
export type Status =
  | "ready"
  | "submitted"
  | "queued"
  | "running"
  | "unknown"
  | "paused"
  | "completed"
  | "failed"
  | "pruned"
  | "cancelled";

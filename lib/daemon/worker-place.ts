import { join } from "node:path";

/** Where one worker keeps what it knows, apart from every other; paths only. */
export interface WorkerPlace {
  /** Attempts' folders are in its `tasks`. */
  root: string;
  identity: string;
  journal: string;
  /** Records of running attempts, for the worker's next life. */
  records: string;
  tools: string;
  lease: string;
}

/** `folder` is that of the user's herd on this host. */
export function workerPlace(folder: string, name: string): WorkerPlace {
  const root = join(folder, "workers", name);
  return {
    root,
    identity: join(root, "identity.json"),
    journal: join(root, "attempts.jsonl"),
    records: join(root, "running"),
    tools: join(root, "TOOLS.md"),
    lease: join(root, "lease"),
  };
}

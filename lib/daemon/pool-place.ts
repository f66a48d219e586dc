import { join } from "node:path";

/** Where a user's pool keeps what it knows; paths only. */
export interface PoolPlace {
  root: string;
  journal: string;
  snapshot: string;
  lease: string;
  /** What attempts left on this machine and what workers sent of theirs: `<task>/<epoch>/`. */
  tasks: string;
  /** Files that tasks came with, by their digest. */
  data: string;
  /** One folder for each worker that reaches the daemon by files only. */
  workers: string;
  /** How far the pool's channels on Discord got. */
  discord: string;
  /** One folder for each worker that is a SLURM job: script, output, and its own state. */
  jobs: string;
  /** Copies of herd for machines that do not see the one that runs here. */
  programs: string;
  audit: string;
}

/** `folder` is that of the user's daemon. */
export function poolPlace(folder: string): PoolPlace {
  const root = join(folder, "pool");
  return {
    root,
    journal: join(root, "journal.jsonl"),
    snapshot: join(root, "snapshot.json"),
    lease: join(root, "lease"),
    tasks: join(root, "tasks"),
    data: join(root, "data"),
    workers: join(root, "workers"),
    discord: join(root, "discord.json"),
    jobs: join(root, "jobs"),
    programs: join(root, "bin"),
    audit: join(root, "audit.jsonl"),
  };
}

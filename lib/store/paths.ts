import { join } from "node:path";

/** Every path of a workspace. All but `config`, `prompt` and `env` lie in `<root>/.hyperherd`. */
export interface WorkspacePaths {
  root: string;
  /** The YAML; any file name. */
  config: string;
  prompt: string;
  env: string;
  /** `.hyperherd` */
  state: string;

  // What people, trainers and scripts read; HyperHerd's names and formats.
  manifest: string;
  jobIds: string;
  logs: string;
  results: string;
  monitorPlan: string;
  agentLog: string;
  chatHistory: string;
  inbox: string;
  nextTick: string;
  lastSnapshot: string;
  previousSnapshot: string;
  userPromptHash: string;

  // herd's own.
  journal: string;
  snapshot: string;
  lease: string;
  /** Held by the daemon that runs the sweep, for as long as it does. */
  monitorLease: string;
  /** Where that daemon answers: host, pid, port, socket and the token's file. */
  control: string;
  /** Which Discord channel the sweep lives in, and how far it was told. */
  discord: string;
  events: string;
  submissions: string;
  /** Spool of the local scheduler. */
  local: string;

  stdout(trial: number): string;
  stderr(trial: number): string;
  signal(trial: number): string;
  /** What the job of a task writes about itself. */
  record(submission: string, task: number): string;
  batchScript(submission: string): string;
  /** Values per trial, read by the batch script. */
  table(submission: string): string;
  /** When it exists, the jobs of the submission do nothing. */
  voidMarker(submission: string): string;
}

export function workspacePaths(
  root: string,
  config: string = join(root, "hyperherd.yaml"),
): WorkspacePaths {
  const state = join(root, ".hyperherd");
  const own = (...parts: string[]) => join(state, ...parts);
  return {
    root,
    config,
    prompt: join(root, "PROMPT.md"),
    env: join(root, ".env"),
    state,
    manifest: own("manifest.json"),
    jobIds: own("job_ids.json"),
    logs: own("logs"),
    results: own("results"),
    monitorPlan: own("MONITOR_PLAN.md"),
    agentLog: own("agent_log.jsonl"),
    chatHistory: own("chat-history.jsonl"),
    inbox: own("inbox.jsonl"),
    nextTick: own("next-tick.json"),
    lastSnapshot: own("last-snapshot.json"),
    previousSnapshot: own("last-snapshot.prev.json"),
    userPromptHash: own("user-prompt.sha256"),
    journal: own("journal.jsonl"),
    snapshot: own("snapshot.json"),
    lease: own("lease"),
    monitorLease: own("monitor-lease"),
    control: own("control.json"),
    discord: own("discord.json"),
    events: own("events"),
    submissions: own("submissions"),
    local: own("local"),
    stdout: (trial) => own("logs", `${trial}.out`),
    stderr: (trial) => own("logs", `${trial}.err`),
    signal: (trial) => own("results", `${trial}`, "_signal"),
    record: (submission, task) => own("events", submission, `${task}.tsv`),
    batchScript: (submission) => own("submissions", submission, "job.sbatch"),
    table: (submission) => own("submissions", submission, "table.tsv"),
    voidMarker: (submission) => own("submissions", submission, "void"),
  };
}

/** What an agent may reach; the words of `[sandbox:…]`. */
export const SANDBOXES = ["none", "workspace", "read-only"] as const;
export type SandboxLevel = (typeof SANDBOXES)[number];

export interface Sandbox {
  level: SandboxLevel;
  /** Whether it may open connections of its own. `none` always may. */
  network: boolean;
}

/** What each level allows, in one plain sentence for people and for the agent itself. */
export function sandboxSays({ level, network }: Sandbox): string {
  if (level === "none") {
    return "Full access: every file, program and connection of the account that the worker runs under";
  }
  const files = level === "workspace"
    ? "Files of the task's own folder can be read and written; the system's programs can be run, nothing else can be changed or read"
    : "Files of the task's own folder and the system's programs can be read; nothing can be changed but RESULT.txt";
  return `${files}; ${network ? "connections are allowed" : "no connections"}`;
}

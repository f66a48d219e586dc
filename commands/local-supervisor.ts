import { defineCommand } from "./command.ts";

/** Started by herd itself, detached: keeps the local scheduler's processes. Not listed. */
export const command = defineCommand({
  name: "local-supervisor",
  summary: "Keep the processes of the local scheduler (herd starts this itself)",
  arguments: [{ name: "SPOOL", description: "Folder of the local scheduler's jobs" }],
  async run({ positionals, clock, signal }) {
    const { runSupervisor } = await import("../lib/daemon/local-supervisor.ts");
    await runSupervisor({ spool: positionals[0]!, clock, signal });
    return 0;
  },
});

import { defineCommand } from "./command.ts";

/** Started by a worker: one attempt of a task, told and answered by lines of JSON. Not listed. */
export const command = defineCommand({
  name: "attempt",
  summary: "Run one attempt of a task (a worker starts this itself)",
  arguments: [],
  async run({ env, clock, signal }) {
    const { runAttempt, backendOf } = await import("../lib/daemon/run-attempt.ts");
    return await runAttempt({ input: process.stdin, descriptor: 1, env, clock, signal, backendOf });
  },
});

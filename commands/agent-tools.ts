import { EXIT } from "../lib/base/exit-codes.ts";
import { defineCommand } from "./command.ts";

/** Started by the program of a conversation's agent, as its MCP server. Not listed. */
export const command = defineCommand({
  name: "agent-tools",
  summary: "Offer herd's tools to the agent of a conversation (the agent's program starts this)",
  async run({ env }) {
    const { pipeTools } = await import("../lib/daemon/tool-pipe.ts");
    await pipeTools({ env, input: process.stdin, output: process.stdout });
    return EXIT.done;
  },
});

import { UserError } from "../lib/base/errors.ts";
import { defineCommand } from "./command.ts";

/** Started within a sandbox without network: a program, and the one door to its model. Not listed. */
export const command = defineCommand({
  name: "relay-door",
  summary: "Run a program that reaches its model through a socket (an attempt starts this itself)",
  arguments: [
    { name: "SOCKET", description: "Of the worker's relay" },
    { name: "PORT", description: "On 127.0.0.1, for the program" },
    { name: "PROGRAM", repeatable: true, description: "And its arguments, behind --" },
  ],
  async run({ positionals, env }) {
    const [socket = "", port = "", ...argv] = positionals;
    if (!/^\d{1,5}$/.test(port) || argv.length === 0) {
      throw new UserError(
        "Cannot open the relay's door: a socket, a port and a program are wanted",
      );
    }
    const { runBehindDoor } = await import("../lib/daemon/relay-door.ts");
    const kept = Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined);
    return await runBehindDoor({
      socket,
      port: Number(port),
      argv,
      env: Object.fromEntries(kept),
    });
  },
});

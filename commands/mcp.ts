import { basename } from "node:path";
import { EXIT } from "../lib/base/exit-codes.ts";
import { shellQuote } from "../lib/base/text.ts";
import { defineCommand } from "./command.ts";
import { openWorkspace, ownCommandLine, say, workspacePath } from "./open.ts";

const OPTIONS = [
  {
    name: "print-config",
    description: "Print what to tell an MCP client, and serve nothing",
  },
] as const;

export const command = defineCommand({
  name: "mcp",
  summary: "Offer the sweep's tools to an MCP client on standard input and output",
  details:
    "Started by a client such as Claude Code or Cursor, not by hand; --print-config says how. The\n" +
    "tools are those of the monitor's own agent. Where a monitor runs the sweep, they go through\n" +
    "it. What destroys work (stop all, prune, halt) waits for a person's yes, as it does for the\n" +
    "agent. Ends when standard input is closed.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: OPTIONS,
  examples: [
    { line: "herd mcp sweep/ --print-config", meaning: "how to register it with a client" },
    { line: "herd mcp sweep/", meaning: "what the client then starts" },
  ],
  async run(context) {
    const workspace = workspacePath(context.cwd, context.positionals[0] ?? ".");
    if (context.values["print-config"]) return await printConfig(context, workspace);
    const { openDesk } = await import("../lib/daemon/open-desk.ts");
    const { serveMcp } = await import("../lib/daemon/serve-mcp.ts");
    const { out, env, clock, signal } = context;
    await serveMcp({
      desk: await openDesk({
        ...{ env, clock, signal, workspace },
        self: ownCommandLine(),
        onWarning: (message) => say(out, message),
      }),
      clock,
      signal,
      input: process.stdin,
      write: (line) => out.write(line),
      onProblem: (message) => say(out, message),
    });
    return EXIT.done;
  },
});

async function printConfig(
  context: Parameters<typeof openWorkspace>[0],
  workspace: string,
): Promise<number> {
  const { out, json } = context;
  // A client that starts a wrong line says little about it, so the workspace is looked at now.
  const { config, root } = (await openWorkspace(context, workspace)).paths;
  const path = basename(config) === "hyperherd.yaml" ? root : config;
  const name = serverName(root);
  const [program = "herd", ...args] = [...ownCommandLine(), "mcp", path];
  const document = { mcpServers: { [name]: { type: "stdio", command: program, args } } };
  if (json) {
    out.json(document);
    return EXIT.done;
  }
  const { bold } = out.paint;
  const line = ["claude", "mcp", "add", name, "--", program, ...args].map(shellQuote).join(" ");
  out.print(bold("Claude Code"));
  out.print(`  ${line}`);
  out.print();
  out.print(bold("Cursor and other clients (mcp.json)"));
  out.json(document);
  return EXIT.done;
}

/** `herd-` and the folder's name, so that two sweeps can be registered at once. */
function serverName(root: string): string {
  const name = basename(root).replaceAll(/[^A-Za-z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return name === "" ? "herd" : `herd-${name.slice(0, 40)}`;
}

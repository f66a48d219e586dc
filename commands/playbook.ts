import { EXIT } from "../lib/base/exit-codes.ts";
import { defineCommand } from "./command.ts";
import { workspacePath } from "./open.ts";

export const command = defineCommand({
  name: "playbook",
  summary: "Print the playbook by which the monitor's agent works",
  details:
    "To change it, print it into PLAYBOOK.md in the workspace, or into herd/playbook.md in your\n" +
    "folder of configuration ($XDG_CONFIG_HOME, or ~/.config) for all sweeps, and edit the copy.\n" +
    "Where the text is from is said on standard error.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  examples: [
    { line: "herd playbook", meaning: "the one that is in force in this folder" },
    { line: "herd playbook sweep > sweep/PLAYBOOK.md", meaning: "a copy to edit" },
  ],
  async run({ positionals, env, cwd, out, json }) {
    const { playbookFor } = await import("../lib/daemon/playbook-in-force.ts");
    const [given] = positionals;
    const { text, source, path } = playbookFor({
      workspace: workspacePath(cwd, given ?? "."),
      optional: given === undefined,
      env,
    });
    if (json) out.json({ source, path: path ?? null, text });
    else {
      out.printError(
        `${out.errorPaint.yellow("Note:")} ${SOURCES[source]}${path ? ` "${path}"` : ""}`,
      );
      out.write(text);
    }
    return EXIT.done;
  },
});

const SOURCES = {
  "built-in": "This is the built-in playbook",
  "workspace": "This is the workspace's playbook",
  "config": "This is the playbook of your configuration",
};

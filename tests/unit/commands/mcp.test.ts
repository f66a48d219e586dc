import { test } from "node:test";
import assert from "node:assert/strict";
import { inSweep, localYaml, runCommand, runJson } from "../../support/command.ts";

test("herd mcp --print-config gives a line for Claude Code and a document for other clients", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path }) => {
    const { code, stdout } = await runCommand(["mcp", path, "--print-config"]);
    assert.equal(code, 0);
    const name = `herd-${path.split("/").at(-1)}`;
    assert.match(stdout, new RegExp(`claude mcp add ${name} -- \\S+ .*mcp ${path}\\n`));
    const { mcpServers } = await runJson(["mcp", path, "--print-config"]);
    assert.deepEqual(Object.keys(mcpServers), [name]);
    const { type, command, args } = mcpServers[name];
    assert.deepEqual([type, args.slice(-2)], ["stdio", ["mcp", path]]);
    assert.equal(command, process.execPath);
    assert.ok(stdout.includes(JSON.stringify(command)));
  }));

test("a sweep file of another name is named in the snippet, and what is no workspace is refused", () =>
  inSweep({ yaml: localYaml(1) }, async ({ path, write }) => {
    write("other sweep.yaml", localYaml(1));
    const { mcpServers } = await runJson(["mcp", "other sweep.yaml", "--print-config"], {
      cwd: path,
    });
    const [server] = Object.values(mcpServers) as { args: string[] }[];
    assert.equal(server!.args.at(-1), `${path}/other sweep.yaml`);
    const { stdout } = await runCommand(["mcp", `${path}/other sweep.yaml`, "--print-config"]);
    assert.ok(stdout.includes(`mcp '${path}/other sweep.yaml'`));
    assert.equal((await runCommand(["mcp", `${path}/nowhere`, "--print-config"])).code, 2);
  }));

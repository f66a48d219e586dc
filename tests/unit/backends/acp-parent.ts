import process from "node:process";
import { createAcpConverser } from "../../../lib/backends/acp-converser.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { unconfined } from "./scene.ts";

/** Opens a conversation whose agent starts a child, says so, and waits to be killed. */
const [talker = "", folder = ""] = process.argv.slice(2);
const converser = createAcpConverser({
  kind: "acp",
  command: [process.execPath, "run", "-A", "--no-check", talker, "loads"],
}, {
  wrap: unconfined,
  clock: createSystemClock(),
  env: {},
  sandbox: { level: "none", network: true },
  agentEnv: () => ({ PATH: process.env["PATH"]!, HOME: process.env["HOME"]! }),
});
if ("refused" in converser) throw new Error(converser.refused);
const session = await converser.open({
  conversation: "1",
  folder,
  instructions: "",
  earlier: undefined,
  signal: new AbortController().signal,
  hooks: { permission: () => Promise.resolve("deny"), log() {} },
});
if ("failed" in session) throw new Error(session.failed.message);
await session.prompt([{ type: "text", text: "children" }], {
  signal: new AbortController().signal,
  onText() {},
  onTool() {},
  onThought() {},
  onUse() {},
});
process.stdout.write("ready\n");
setInterval(() => {}, 1_000);

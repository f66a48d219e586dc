import process from "node:process";
import type { BackendConfig } from "../../../lib/backends/backend-config.ts";
import { createConverser } from "../../../lib/backends/create-converser.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { ask } from "../../support/converse.ts";
import { unconfined } from "./scene.ts";

/** Begins a turn with an agent by a configuration, says "ready" once it has begun, and waits to be killed. */
const [config = "", folder = "", mark = "", prompt = "Go"] = process.argv.slice(2);
const settings = JSON.parse(config) as BackendConfig;
const converser = createConverser(settings, {
  wrap: unconfined,
  clock: createSystemClock(),
  env: { MY_KEY: "key-of-tests" },
  sandbox: { level: "none", network: true },
  agentEnv: () => ({ PATH: process.env["PATH"]!, HOME: process.env["HOME"]! }),
  brokerMark: mark,
});
if ("refused" in converser) throw new Error(converser.refused);
const session = await converser.open({
  conversation: "1",
  folder,
  instructions: "",
  earlier: undefined,
  signal: new AbortController().signal,
  hooks: { permission: () => Promise.resolve("once"), log() {} },
});
if ("failed" in session) throw new Error(session.failed.message);
process.stdout.write("ready\n");
await ask(session, prompt);
setInterval(() => {}, 1_000);

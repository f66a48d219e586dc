import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { endLeftOvers } from "../../../lib/backends/end-marked.ts";
import { startModelServer } from "../../support/model-server.ts";
import { processesWith, until } from "./scene.ts";

const PARENT = fileURLToPath(new URL("./converse-parent.ts", import.meta.url));
/** One that stays in its group, and one that leaves it, and all that holds to it. */
const scriptOf = (n: number) => `sleep ${n}.25 & setsid sleep ${n}.75 & wait`;

/** A daemon that converses, to be killed. */
function daemon(t: TestContext, config: unknown, mark: string, prompt = "Go"): ChildProcess {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "herd-left-")));
  const words = ["run", "-A", "--no-check", PARENT, JSON.stringify(config), folder, mark, prompt];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(async () => {
    child.kill("SIGKILL");
    await endLeftOvers(mark);
    rmSync(folder, { recursive: true, force: true });
  });
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

test("a program of one turn ends with a daemon that is killed; what left its group ends at the next start", async (t) => {
  const mark = `left-${process.pid}-a`;
  const config = {
    kind: "command",
    command: ["/bin/sh", "-c", scriptOf(73501)],
    input: "file",
    result: "stdout",
  };
  const child = daemon(t, config, mark);
  await until(
    "both run",
    () =>
      processesWith("sleep\x0073501.25").length === 1 &&
      processesWith("sleep\x0073501.75").length === 1,
  );
  await killed(child);
  await until("its group has ended", () => processesWith("sleep\x0073501.25").length === 0);
  assert.equal(processesWith("sleep\x0073501.75").length, 1);
  assert.equal(await endLeftOvers(`${mark}-of-another`), 0);
  assert.equal(processesWith("sleep\x0073501.75").length, 1);
  assert.ok(await endLeftOvers(mark) >= 1);
  assert.deepEqual(processesWith("sleep\x0073501"), []);
  assert.equal(await endLeftOvers(mark), 0);
});

test("so do the commands of a model", async (t) => {
  const mark = `left-${process.pid}-b`;
  const call = { name: "shell", input: { command: scriptOf(73502) } };
  const server = await startModelServer([{ reply: { calls: [call] } }]);
  t.after(() => server.close());
  const child = daemon(t, { kind: "anthropic", baseUrl: server.url, apiKeyEnv: "MY_KEY" }, mark);
  await until(
    "both run",
    () =>
      processesWith("sleep\x0073502.75").length >= 1 &&
      processesWith("sleep\x0073502.25").length >= 1,
  );
  await killed(child);
  await until("its group has ended", () => processesWith("sleep\x0073502.25").length === 0);
  await endLeftOvers(mark);
  assert.deepEqual(processesWith("sleep\x0073502"), []);
});

test("so does what an ACP agent set free", async (t) => {
  const mark = `left-${process.pid}-d`;
  const talker = fileURLToPath(new URL("./acp-talker.ts", import.meta.url));
  const command = [process.execPath, "run", "-A", "--no-check", talker, "loads"];
  const child = daemon(t, { kind: "acp", command }, mark, "free");
  child.stdout!.resume();
  await until("it runs", () => processesWith("sleep\x0073504.5").length === 1);
  await killed(child);
  await endLeftOvers(mark);
  assert.deepEqual(processesWith("sleep\x0073504.5"), []);
  assert.deepEqual(processesWith(`${talker}\x00loads`), []);
});

test("whoever asks for it is not ended, though an agent started it", async (t) => {
  const mark = `left-${process.pid}-c`;
  const file = fileURLToPath(new URL("../../../lib/backends/end-marked.ts", import.meta.url));
  const code = `const { endLeftOvers } = await import(${JSON.stringify(file)});
    console.log("ended", await endLeftOvers(${JSON.stringify(mark)}));`;
  const outer = spawn("/bin/sh", [
    "-c",
    'sleep 73503.5 & "$@"; wait',
    "sh",
    process.execPath,
    "eval",
    code,
  ], {
    env: { ...process.env, HERD_BROKER: mark },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => void outer.kill("SIGKILL"));
  let said = "";
  outer.stdout.on("data", (bytes) => said += String(bytes));
  await new Promise((resolve) => outer.once("exit", resolve));
  assert.equal(said.trim(), "ended 1");
  assert.deepEqual(processesWith("sleep\x0073503.5"), []);
});

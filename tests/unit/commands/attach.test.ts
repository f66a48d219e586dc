import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createRemotePort } from "../../../commands/remote-port.ts";
import { createControlApp } from "../../../lib/control/app.ts";
import { writeDaemonRecord } from "../../../lib/control/daemon-record.ts";
import { startControl } from "../../../lib/control/start-control.ts";
import { prepare, userPlace } from "../../../lib/control/user-place.ts";
import type { Event } from "../../../lib/sweep/event.ts";
import type { Said } from "../../../lib/sweep/monitor-event.ts";
import { createScriptedStation } from "../control/scripted-station.ts";
import type { ScriptedStation } from "../control/scripted-station.ts";
import { until } from "../control/serving.ts";
import { runCommand } from "../../support/command.ts";
import type { CommandOptions } from "../../support/command.ts";
import { removeTree } from "../../support/remove-tree.ts";

interface Home {
  station: ScriptedStation;
  attach(argv?: readonly string[], options?: CommandOptions): ReturnType<typeof runCommand>;
}

/** A user with a daemon that holds the test's sweeps. */
async function withDaemon(use: (home: Home) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd-attach-"));
  const runtime = join(folder, "run");
  mkdirSync(runtime, { mode: 0o700 });
  const env = { XDG_STATE_HOME: join(folder, "state"), XDG_RUNTIME_DIR: runtime, NO_COLOR: "1" };
  const place = userPlace(env, userInfo().uid, hostname());
  const { socketPath, token } = prepare(place);
  const station = createScriptedStation();
  const app = createControlApp(station, { token, allowedHosts: [], user: "alice" });
  await using control = await startControl({ app, socketPath, onError: () => {} });
  const { port } = control;
  writeDaemonRecord(place, {
    pid: process.pid,
    port,
    socketPath,
    tokenPath: place.token,
    version: "9.9.9",
    host: hostname(),
    startedAt: 1,
  });
  const attach: Home["attach"] = (argv = [], options = {}) =>
    runCommand(["attach", ...argv], { cwd: folder, ...options, env });
  try {
    await use({ station, attach });
  } finally {
    await control.close();
    removeTree(folder);
  }
}

function said(text: string, kind: Said["kind"] = "agent") {
  return { type: "said" as const, said: { key: text, kind, text } };
}

test("attach shows the last posts, then each new one, and says when the monitor has ended", () =>
  withDaemon(async ({ station, attach }) => {
    const [desk] = station.list;
    for (const text of ["first", "second", "third"]) desk!.write(said(text));
    const running = attach([desk!.id, "-n", "2"]);
    await until(() => desk!.listeners() > 0, "somebody who listens");
    desk!.write(said("fourth", "warning"));
    await station.release(desk!.id, "test");
    // The stream looks whether the sweep is still held when it is woken.
    desk!.notice({ key: "x", kind: "heartbeat", text: "" });
    const { code, stdout, stderr } = await running;
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.match(/(🐕|⚠️) \w+/gu), ["🐕 second", "🐕 third", "⚠️ fourth"]);
    assert.match(stderr, /has ended/);
  }));

test("with -n 0 nothing from before is shown, however long it has been going on", () =>
  withDaemon(async ({ station, attach }) => {
    const [desk] = station.list;
    desk!.write(said("old"));
    const running = attach(["-n", "0"]);
    await until(() => desk!.listeners() > 0, "somebody who listens");
    desk!.write(said("new"));
    await station.release(desk!.id, "test");
    desk!.notice({ key: "x", kind: "heartbeat", text: "" });
    assert.deepEqual((await running).stdout.match(/🐕 \w+/gu), ["🐕 new"]);
  }));

test("Ctrl-C detaches and says that the monitor goes on", () =>
  withDaemon(async ({ station, attach }) => {
    const leaving = new AbortController();
    const running = attach([], { signal: leaving.signal });
    await until(() => station.list.every((desk) => desk.listeners() > 0), "listeners");
    leaving.abort();
    const { code, stderr } = await running;
    assert.equal(code, 0);
    assert.match(stderr, /Detached: the monitor goes on/);
    await until(() => station.list.every((desk) => desk.listeners() === 0), "no listener left");
  }));

test("--no-follow prints the last posts and ends; --json prints events as lines", () =>
  withDaemon(async ({ station, attach }) => {
    const [desk] = station.list;
    desk!.write(said("first"));
    desk!.write({
      type: "message-received",
      message: { id: "m1", from: "cli:bob", name: "bob", text: "hi\u001b[2J" },
    });
    const plain = await attach([desk!.id, "--no-follow"]);
    assert.equal(plain.code, 0, plain.stderr);
    assert.match(plain.stdout, /🐕 first\nbob: hi\\x1b\[2J\n$/);
    const json = await attach([desk!.id, "--no-follow", "--json"]);
    const lines = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Event);
    assert.deepEqual(lines.map(({ seq, what }) => [seq, what.type]), [
      [1, "said"],
      [2, "message-received"],
    ]);
    assert.equal(desk!.listeners(), 0);
  }));

test("a sweep that the daemon does not hold is refused with those that it holds", () =>
  withDaemon(async ({ station, attach }) => {
    const wrong = await attach(["elsewhere", "--no-follow"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, new RegExp(`It holds ${station.list[0]!.id} in`));
    station.list.splice(0);
    const none = await attach(["--no-follow"]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /holds no sweep/);
  }));

test("without a daemon attach says so and ends with 3", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herd-attach-"));
  try {
    const { code } = await runCommand(["attach"], { env: { XDG_STATE_HOME: folder } });
    assert.equal(code, 3);
  } finally {
    removeTree(folder);
  }
});

test("at the other end of HTTP messages keep their id, and only commands are sent as such", async () => {
  const sent: unknown[] = [];
  const client = {
    events: () => new Promise<void>(() => {}),
    request: <T>(method: string, path: string, body?: unknown) => {
      sent.push([method, path, body]);
      return Promise.resolve({ text: "done", code: false } as T);
    },
    say: (id: string, message: { text: string; id?: string }) => {
      sent.push([id, message]);
      return Promise.resolve(true);
    },
  };
  const port = createRemotePort(client, { id: "a b", past: [] }, new AbortController().signal);
  assert.deepEqual(await port.slash("/tick"), { text: "done", code: false });
  assert.equal(await port.slash("// no command"), undefined);
  await port.receive({ id: "m1", from: "cli:alice", name: "alice", text: "hi" });
  assert.deepEqual(sent, [
    ["POST", "/v1/sweeps/a%20b/slash", { text: "/tick" }],
    ["a b", { id: "m1", name: "alice", text: "hi" }],
  ]);
});

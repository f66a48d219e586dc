import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createControlApp } from "../../../lib/control/app.ts";
import { removeDaemonRecord, writeDaemonRecord } from "../../../lib/control/daemon-record.ts";
import { findDaemon } from "../../../lib/control/find-daemon.ts";
import { startControl } from "../../../lib/control/start-control.ts";
import type { Control } from "../../../lib/control/start-control.ts";
import { prepare, userPlace } from "../../../lib/control/user-place.ts";
import type { UserPlace } from "../../../lib/control/user-place.ts";
import { runCommand } from "../../support/command.ts";
import type { CommandOptions } from "../../support/command.ts";
import { createScriptedStation } from "./scripted-station.ts";
import type { ScriptedDesk, ScriptedStation } from "./scripted-station.ts";
import { until } from "./serving.ts";

interface Home {
  env: Record<string, string>;
  place: UserPlace;
  token: string;
  control: Control;
  station: ScriptedStation;
  desk: ScriptedDesk;
  folder: string;
  api(argv: readonly string[], options?: CommandOptions): ReturnType<typeof runCommand>;
}

/** A user with a daemon, as `herd monitor` leaves it. */
async function withDaemon(use: (home: Home) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd-api-"));
  const runtime = join(folder, "run");
  mkdirSync(runtime, { mode: 0o700 });
  const env = { XDG_STATE_HOME: join(folder, "state"), XDG_RUNTIME_DIR: runtime };
  const place = userPlace(env, userInfo().uid, hostname());
  const { socketPath, token } = prepare(place);
  const station = createScriptedStation();
  const app = createControlApp(station, { token, allowedHosts: [], user: "alice" });
  await using control = await startControl({ app, socketPath, onError: () => {} });
  writeDaemonRecord(place, {
    pid: process.pid,
    port: control.port,
    socketPath,
    tokenPath: place.token,
    version: "9.9.9",
    host: hostname(),
    startedAt: 1,
  });
  const api: Home["api"] = (argv, options) => runCommand(["api", ...argv], { ...options, env });
  await use({ env, place, token, control, station, desk: station.list[0]!, folder, api });
  await control.close();
  rmSync(folder, { recursive: true });
}

test("herd api prints what the daemon answers: as it came in a pipe, indented for people", () =>
  withDaemon(async ({ api }) => {
    const piped = await api(["sweeps/lr/trials?limit=1"]);
    assert.equal(piped.code, 0, piped.stderr);
    assert.equal(piped.stdout.trimEnd().split("\n").length, 1);
    assert.equal(JSON.parse(piped.stdout).total, 5);
    const shown = await api(["/v1/sweeps/lr/trials?limit=1", "--json"]);
    assert.match(shown.stdout, /^\{\n {2}"items": \[/);
    assert.deepEqual(JSON.parse(shown.stdout), JSON.parse(piped.stdout));
    const text = await api(["/metrics"]);
    assert.match(text.stdout, /^# HELP/);
  }));

test("a body comes from the line or a file, and makes it a POST", () =>
  withDaemon(async ({ api, desk, folder }) => {
    const line = await api(["sweeps/lr/actions/stop", "-d", '{"indices": [3]}']);
    assert.equal(line.code, 0, line.stderr);
    writeFileSync(join(folder, "body.json"), '{"indices": "all", "reason": "it\'s \\"late\\""}');
    await api(["sweeps/lr/actions/stop", "-d", "@body.json"], { cwd: folder });
    await api(["sweeps/lr/actions/tick", "-X", "POST"]);
    assert.deepEqual(desk.acted, [
      { request: { verb: "stop", indices: [3] }, by: "api:alice" },
      { request: { verb: "stop", indices: "all", reason: 'it\'s "late"' }, by: "api:alice" },
      { request: { verb: "tick" }, by: "api:alice" },
    ]);
  }));

test("exit codes say what became of it", () =>
  withDaemon(async ({ api, desk }) => {
    assert.equal((await api(["sweeps/nope"])).code, 1);
    const wrong = await api(["sweeps/lr/trials?limit=x"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /Error: Cannot read the query: field "limit"/);
    assert.equal(JSON.parse(wrong.stdout).error.kind, "bad-request");
    desk.outcome = { done: false, reason: "No", facts: {} };
    assert.equal((await api(["sweeps/lr/actions/tick", "-d", "{}"])).code, 3);
    desk.outcome = new TypeError("bug");
    assert.equal((await api(["sweeps/lr/actions/tick", "-d", "{}"])).code, 70);
    assert.equal((await api(["sweeps", "-d", "{nonsense"])).code, 2);
    assert.equal((await api(["sweeps/a b"])).code, 2);
    assert.equal((await api(["sweeps", "-d", "@/no/such/file"])).code, 2);
    assert.equal((await api(["sweeps", "-X", "BREW"])).code, 2);
  }));

test("without a daemon it says so, and an old record or a stranger on its port is none", () =>
  withDaemon(async ({ api, control, place, env }) => {
    assert.ok(await findDaemon(place));
    await control.close();
    const gone = await api(["sweeps"]);
    assert.equal(gone.code, 3);
    assert.match(gone.stderr, /No daemon answers at .*herd monitor/s);
    // Somebody else's server took the port; it must get neither token nor request.
    const seen: string[] = [];
    const stranger = createServer((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ok: true, version: "9.9.9", proof: "0".repeat(64) }));
    });
    await new Promise<void>((resolve) => stranger.listen(control.port, "127.0.0.1", resolve));
    assert.equal((await api(["sweeps"])).code, 3);
    assert.equal(seen.length, 1);
    assert.match(seen[0]!, /^\/healthz\?challenge=[0-9a-f]{32} undefined$/);
    await new Promise((resolve) => stranger.close(resolve));
    removeDaemonRecord(place, process.pid + 1);
    assert.match((await runCommand(["api", "sweeps"], { env })).stderr, /No daemon/);
    removeDaemonRecord(place, process.pid);
    removeDaemonRecord(place, process.pid);
    writeFileSync(place.record, "{torn");
    assert.equal(await findDaemon(place), undefined);
  }));

test("a daemon whose socket went with the user's session is found at its port", () =>
  withDaemon(async ({ api, control, place }) => {
    rmSync(control.socketPath);
    assert.deepEqual((await findDaemon(place))?.address, { port: control.port });
    assert.equal((await api(["sweeps"])).code, 0);
  }));

test("--follow prints the data of each event on a line until the stream ends", () =>
  withDaemon(async ({ api, desk, station }) => {
    desk.write({ type: "unhalted" });
    const following = api(["sweeps/lr/events?after=0", "--follow"]);
    await until(() => desk.listeners() > 0, "it listens");
    station.list = [];
    desk.write({ type: "monitor-stopped", why: "two\nlines" });
    const { code, stdout } = await following;
    assert.equal(code, 0);
    assert.deepEqual(
      stdout.trimEnd().split("\n").map((line) => JSON.parse(line)),
      desk.events(0),
    );
  }));

test("--follow ends when it is interrupted, and refuses what is no stream of the daemon's", () =>
  withDaemon(async ({ api, desk }) => {
    const stop = new AbortController();
    const following = api(["sweeps/lr/events", "--follow"], { signal: stop.signal });
    await until(() => desk.listeners() > 0, "it listens");
    stop.abort();
    assert.equal((await following).code, 130);
    await until(() => desk.listeners() === 0, "nothing is left behind");
    const unknown = await api(["sweeps/nope/events", "--follow"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /Cannot find sweep "nope"/);
    const document = await api(["sweeps", "--follow"]);
    assert.equal(document.code, 2);
    assert.match(document.stderr, /no stream/);
  }));

test("the line for curl works in a shell, and neither it nor its arguments hold the token", () =>
  withDaemon(async ({ api, token, desk, control }) => {
    const body = JSON.stringify({ indices: [1], reason: `it's "x" $(id) \`id\`` });
    const get = await api(["sweeps/lr/trials?limit=1&status=running", "--curl"]);
    const post = await api(["sweeps/lr/actions/stop", "-d", body, "--curl"]);
    const put = await api(["sweeps/lr/plan", "-X", "PUT", "-d", '{"text": "# Plan"}', "--curl"]);
    for (const { stdout, code } of [get, post, put]) {
      assert.equal(code, 0);
      assert.ok(!stdout.includes(token));
      // All that stands behind the pipe becomes an argument.
      assert.ok(!stdout.split(" | curl ")[1]!.includes("cat "));
    }
    const shell = (line: string) =>
      new Promise<string>((resolve, reject) =>
        execFile(
          "sh",
          ["-c", line],
          (error, stdout) => error === null ? resolve(stdout) : reject(error),
        )
      );
    assert.equal(JSON.parse(await shell(get.stdout)).total, 4);
    assert.equal(JSON.parse(await shell(post.stdout)).text, "Done.");
    assert.deepEqual(desk.acted[0]?.request, { verb: "stop", ...JSON.parse(body) });
    assert.equal(JSON.parse(await shell(put.stdout)).text, "# Plan");
    rmSync(control.socketPath);
    const overPort = await api(["sweeps", "--curl"]);
    assert.equal(JSON.parse(await shell(overPort.stdout)).items.length, 1);
  }));

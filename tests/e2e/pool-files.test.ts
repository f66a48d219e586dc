import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { test } from "node:test";
import { HERD } from "../support/herd.ts";
import { livePool } from "../support/live-pool.ts";
import type { LivePool } from "../support/live-pool.ts";

const YAML = `pool:
  defaults: {model: maker, sandbox: none}
  limits: {attempts: 1}
  retention: {succeeded: 1d}
  backends:
    maker: {kind: command, command: [FOLDER/maker.sh], input: stdin, result: file}
  models:
    maker: {backend: maker}
`;

const PROGRAMS = {
  "maker.sh": `#!/bin/bash
text=$(cat)
mkdir -p sub
head -c 3000000 /dev/urandom > "sub/big file.bin"
head -c 524288 /dev/zero > exact.bin
: > empty.txt
ln -s /etc/passwd link.txt
echo "what it said"
case "$text" in *fail*) echo "no luck" >&2; exit 3 ;; esac
printf 'made' > RESULT.txt
`,
};
/** The remote worker's home as only the worker sees it. */
const FAR = "/srv";
const bwrap = ["/usr/bin/bwrap", "/bin/bwrap"].find(existsSync);
const skip = bwrap === undefined ? "bubblewrap is not installed" : false;

/** A worker whose files the daemon cannot see: its home lies in a mount namespace of its own. */
function farWorker(pool: LivePool, t: { after(act: () => unknown): void }, args: string[]) {
  mkdirSync(pool.path("far"), { recursive: true });
  const env: Record<string, string> = {
    ...pool.home.env,
    HOME: FAR,
    XDG_STATE_HOME: `${FAR}/state`,
    XDG_RUNTIME_DIR: FAR,
  };
  const words = ["--dev-bind", "/", "/", "--bind", pool.path("far"), FAR, "--die-with-parent"];
  const child = spawn(bwrap!, [...words, HERD, "worker", ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  const ended = new Promise<void>((done) => child.on("exit", () => done()));
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  return { child, ended, output: () => output };
}

function portOf(pool: LivePool): number {
  const herd = `${pool.home.env["XDG_STATE_HOME"]}/herd`;
  const host = readdirSync(herd).find((name) => existsSync(`${herd}/${name}/daemon.json`));
  return JSON.parse(readFileSync(`${herd}/${host}/daemon.json`, "utf8")).port;
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

for (const way of ["http", "files"] as const) {
  test(`files of a worker elsewhere come over ${way}, byte for byte, and go when they may`, {
    skip,
  }, async (t) => {
    const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
    await pool.daemon();
    const enrolled = JSON.parse(
      (await pool.run("pool", "enrol", "far-1", "--via", way, "--json")).stdout,
    );
    const args = way === "http"
      ? ["--code", enrolled.code, "--address", `http://127.0.0.1:${portOf(pool)}`]
      : ["--name", "far-1", "--pool", enrolled.folder];
    farWorker(pool, t, args);
    const said = await pool.run("task", "submit", "make", "--wait", "--json");
    assert.equal(said.code, 0, said.stderr);
    const task = JSON.parse(said.stdout);
    const { folder, files } = task.attempts[0];
    assert.ok(folder.startsWith(`${FAR}/`), folder);
    assert.equal(existsSync(folder), false, "the daemon cannot see the worker's disk");
    const names = files.map(({ path }: { path: string }) => path).sort();
    assert.deepEqual(names, ["RESULT.txt", "empty.txt", "exact.bin", "sub/big file.bin"]);

    const fetched = await pool.run("task", "files", task.task, "--out", pool.path("out"));
    assert.equal(fetched.code, 0, fetched.stderr);
    for (const { path, bytes, sha256 } of files) {
      const got = readFileSync(pool.path("out", path));
      assert.deepEqual([got.length, digest(got)], [bytes, sha256], path);
    }
    const again = await pool.run("task", "files", task.task, "--out", pool.path("out"));
    assert.equal(again.code, 2, "what is there is not written over");
    assert.match(
      (await pool.run("task", "show", task.task, "--files")).stdout,
      /sub\/big file\.bin \(3000000 bytes\)/,
    );

    const failing = JSON.parse(
      (await pool.run("task", "submit", "fail", "--wait", "--json")).stdout,
    );
    const log = await pool.run(
      ...["task", "files", failing.task, "--out", pool.path("failed")],
    );
    assert.equal(log.code, 0, log.stderr);
    assert.match(readFileSync(pool.path("failed/agent-output.log"), "utf8"), /what it said/);
  });
}

test(
  "a worker gives files of its own attempts only, with its own secret, and only what was named",
  {
    skip,
  },
  async (t) => {
    const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
    await pool.daemon();
    const port = portOf(pool);
    const enrol = async (name: string) => {
      const { code } = JSON.parse((await pool.run("pool", "enrol", name, "--json")).stdout);
      const { status, body } = await post(port, "/v1/pool/enrol", "none", JSON.stringify({ code }));
      assert.equal(status, 200, body);
      return JSON.parse(body).secret as string;
    };
    const [mine, other] = [await enrol("mine"), await enrol("other")];
    const report = { end: "done", cause: "", passing: false, result: "x", folder: "/no/such" };
    const content = Buffer.from("the content");
    const files = [
      { path: "a.txt", bytes: content.length, sha256: digest(content) },
      { path: "../../../../evil.txt", bytes: content.length, sha256: digest(content) },
    ];
    const id = (await pool.run("task", "submit", "by hand", "--worker", "mine")).stdout.trim();
    const base = {
      ...{ worker: "mine", incarnation: "i1", startedAt: 1, version: "0", host: "h", slots: 1 },
      ...{ labels: [], sandboxes: ["none"], leaving: false, unknownOfLater: { versions: true } },
    };
    const tell = async (number: number, attempts: unknown[]) => {
      const text = JSON.stringify({ ...base, number, attempts });
      const { body } = await post(port, "/v1/pool/workers/mine/exchange", mine, text);
      return JSON.parse(body);
    };
    const offered = await tell(1, []);
    assert.equal(offered.assign[0]?.task, id, JSON.stringify(offered));
    const word = { ...report, files, use: [], startedAt: 1, endedAt: 2 };
    await tell(2, [{ task: id, epoch: 1, phase: "", use: [], report: word }]);
    const asked = await tell(3, []);
    assert.deepEqual(asked.send, [{ task: id, epoch: 1, path: "a.txt", from: 0 }]);

    const give = (
      path: string,
      from: number,
      bytes: Uint8Array,
      secret = mine,
      worker = "mine",
    ) => {
      const query = new URLSearchParams({ task: id, epoch: "1", path, from: `${from}` });
      return post(port, `/v1/pool/workers/${worker}/files?${query}`, secret, bytes);
    };
    assert.equal((await give("a.txt", 0, content, other)).status, 401, "another's secret");
    assert.equal(
      (await give("a.txt", 0, content, other, "other")).status,
      409,
      "another's attempt",
    );
    assert.equal((await give("b.txt", 0, content)).status, 409, "not named");
    assert.equal((await give("a.txt", 0, Buffer.alloc(2 << 20))).status, 413, "too large a piece");
    const wrong = await give("a.txt", 0, Buffer.from("The content"));
    assert.deepEqual(JSON.parse(wrong.body), { received: 0, whole: false }, "not what was named");
    const half = await give("a.txt", 0, content.subarray(0, 5));
    assert.deepEqual(JSON.parse(half.body), { received: 5, whole: false });
    const twice = await give("a.txt", 0, content.subarray(0, 5));
    assert.deepEqual(JSON.parse(twice.body), { received: 5, whole: false }, "twice is once");
    assert.equal((await tell(4, [])).send[0].from, 5, "it goes on where it was");
    const whole = await give("a.txt", 5, content.subarray(5));
    assert.deepEqual(JSON.parse(whole.body), { received: content.length, whole: true });
    const late = await give("a.txt", 0, content);
    assert.deepEqual(JSON.parse(late.body), { received: content.length, whole: true });
    assert.equal((await tell(5, [])).send, undefined);
    const out = pool.path("one");
    await pool.run("task", "files", id, "--out", out);
    assert.equal(readFileSync(`${out}/a.txt`, "utf8"), "the content");
    assert.deepEqual(readdirSync(pool.path()).filter((name) => name.includes("evil")), []);
    rmSync(out, { recursive: true });
  },
);

test("a worker that speaks another version of the exchange is dismissed with a clear word", async (t) => {
  const pool = livePool(t, { yaml: YAML, programs: PROGRAMS });
  await pool.daemon();
  const port = portOf(pool);
  const { code } = JSON.parse((await pool.run("pool", "enrol", "new", "--json")).stdout);
  const enrolled = await post(port, "/v1/pool/enrol", "none", JSON.stringify({ code }));
  const { secret } = JSON.parse(enrolled.body);
  const text = JSON.stringify({ schema: 2, worker: "new", incarnation: "i", number: 7, odd: [] });
  const { status, body } = await post(port, "/v1/pool/workers/new/exchange", secret, text);
  assert.equal(status, 200, body);
  const orders = JSON.parse(body);
  assert.deepEqual([orders.number, orders.stop, orders.assign], [7, true, []]);
  assert.match(orders.dismissed, /version 2 .*daemon 1: install a newer herd on the daemon's/);
});

function post(
  port: number,
  path: string,
  secret: string,
  body: string | Uint8Array,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ host: "127.0.0.1", port, path, method: "POST", agent: false },
      headers: {
        authorization: `Bearer ${secret}`,
        "content-type": typeof body === "string" ? "application/json" : "application/octet-stream",
        "content-length": Buffer.byteLength(body),
      },
    }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece) => text += piece);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

import assert from "node:assert/strict";
import test from "node:test";
import { NothingError, RefusedError, SchedulerError, UserError } from "../../../lib/base/errors.ts";
import { ask, serving } from "./serving.ts";

test("trials come in pages, filtered as asked", () =>
  serving(async ({ client }) => {
    const page = await client.request<{ items: { index: number }[]; total: number }>(
      "GET",
      "/v1/sweeps/lr/trials?status=running&indices=0,2-4&offset=1&limit=2",
    );
    assert.deepEqual(page.items.map(({ index }) => index), [2, 3]);
    assert.equal(page.total, 4);
  }));

test("what is asked for wrongly is answered 400 and names the field", () =>
  serving(async ({ control: { port }, desk }) => {
    const wrong: [string, string, string | undefined, string][] = [
      ["GET", "/v1/sweeps/lr/trials?limit=0", undefined, "limit"],
      ["GET", "/v1/sweeps/lr/trials?limit=", undefined, "limit"],
      ["GET", "/v1/sweeps/lr/trials?limit=1&limit=2", undefined, "limit"],
      ["GET", "/v1/sweeps/lr/trials?limt=1", undefined, "limt"],
      ["GET", "/v1/sweeps/lr/trials?status=failed,sleeping", undefined, "status"],
      ["GET", "/v1/sweeps/lr/trials?indices=1-", undefined, "indices"],
      ["GET", "/v1/sweeps/lr/trials?indices=0-9999999", undefined, "indices"],
      ["GET", "/v1/sweeps/lr/trials/-1", undefined, "index"],
      ["GET", "/v1/sweeps/lr/trials/1e1", undefined, "index"],
      ["GET", "/v1/sweeps/lr/trials/0/log?lines=5&from=3", undefined, "from"],
      ["GET", "/v1/sweeps/lr/trials/0/log?stream=stdin", undefined, "stream"],
      ["POST", "/v1/sweeps/lr/actions/stop", "{}", "indices"],
      ["POST", "/v1/sweeps/lr/actions/stop", '{"indices": "al"}', "indices"],
      ["POST", "/v1/sweeps/lr/actions/pause", '{"indices": [1.5]}', "indices.0"],
      ["POST", "/v1/sweeps/lr/actions/stop", '{"indices": []}', "indices"],
      ["POST", "/v1/sweeps/lr/actions/halt", '{"reason": ""}', "reason"],
      ["POST", "/v1/sweeps/lr/actions/bump", '{"what": "memory"}', "percent"],
      ["POST", "/v1/sweeps/lr/actions/run", '{"forced": true}', "forced"],
      ["POST", "/v1/sweeps/lr/messages", '{"text": "  "}', "text"],
      ["POST", "/v1/sweeps", '{"path": "relative"}', "path"],
    ];
    for (const [method, path, body, field] of wrong) {
      const said = await ask(port, method, path, body === undefined ? {} : { body });
      assert.equal(said.status, 400, `${path} ${body}: ${said.text}`);
      assert.equal(said.json.error.kind, "bad-request");
      assert.equal(said.json.error.facts.fields[0].field, field, said.text);
      assert.ok(said.json.error.message.includes(`"${field}"`), said.text);
    }
    for (const body of ["{", "[1]", "null", '"text"', "\u0000"]) {
      const said = await ask(port, "POST", "/v1/sweeps/lr/actions/run", { body });
      assert.equal(said.status, 400, body);
    }
    assert.deepEqual(desk.acted, []);
  }));

test("what is not there is 404 and says what is", () =>
  serving(async ({ control: { port } }) => {
    const sweep = await ask(port, "GET", "/v1/sweeps/rl/trials");
    assert.equal(sweep.status, 404);
    assert.deepEqual(sweep.json.error.facts, { sweeps: ["lr"] });
    assert.match(sweep.json.error.hint, /"lr"/);
    for (
      const path of ["/trials/99", "/trials/99/log", "/trials/0/metrics/loss", "/plan", "/prompt"]
    ) {
      const said = await ask(port, "GET", `/v1/sweeps/lr${path}`);
      assert.equal(said.status, 404, path);
      assert.equal(said.json.error.kind, "not-found");
    }
    const method = await ask(port, "DELETE", "/v1/sweeps/lr/plan");
    assert.equal(method.status, 405);
    assert.deepEqual(method.json.error.facts, { allowed: ["GET", "PUT"] });
  }));

test("a metric is found by its name with a slash in it", () =>
  serving(async ({ client }) => {
    const path = "/v1/sweeps/lr/trials/0/metrics/train%2Floss?points=1";
    const document = await client.request<{ name: string; points: unknown[] }>("GET", path);
    assert.equal(document.name, "train/loss");
    assert.deepEqual(document.points, [{ step: 0, value: 1 }]);
  }));

test("an action reaches the desk as it was asked, and its outcome comes back", () =>
  serving(async ({ client, desk }) => {
    desk.outcome = { done: true, text: "Stopped 2.", data: { indices: [1, 2] }, warnings: ["w"] };
    const done = await client.request("POST", "/v1/sweeps/lr/actions/stop", {
      indices: [1, 2],
      reason: "by hand",
    });
    assert.deepEqual(done, { text: "Stopped 2.", data: { indices: [1, 2] }, warnings: ["w"] });
    assert.deepEqual(desk.acted, [{
      request: { verb: "stop", indices: [1, 2], reason: "by hand" },
      by: "cli:alice",
    }]);
    await client.request("POST", "/v1/sweeps/lr/actions/run");
    assert.deepEqual(desk.acted.at(-1)?.request, { verb: "run" });
  }));

test("an expected no is 409 with reason, hint and facts; each error has its status and shape", () =>
  serving(async ({ control: { port }, desk, errors }) => {
    const act = () => ask(port, "POST", "/v1/sweeps/lr/actions/tick", { body: "{}" });
    desk.outcome = {
      done: false,
      reason: "Trial 3 is live",
      hint: "Stop it",
      facts: { indices: [3] },
    };
    const said = await act();
    assert.equal(said.status, 409);
    assert.deepEqual(said.json, {
      error: {
        kind: "refused",
        message: "Trial 3 is live",
        hint: "Stop it",
        facts: { indices: [3] },
      },
    });
    const thrown: [Error, number, string][] = [
      [
        new UserError("Cannot read", { mistakes: [{ message: "m", path: "slurm.mem" }] }),
        422,
        "mistake",
      ],
      [new RefusedError("No"), 409, "refused"],
      [new NothingError("None"), 404, "nothing"],
      [new SchedulerError("unreachable", "Silent"), 503, "unreachable"],
      [new SchedulerError("rejected", "Bad"), 502, "rejected"],
      [new TypeError("a bug"), 500, "unexpected"],
    ];
    for (const [error, status, kind] of thrown) {
      desk.outcome = error;
      const { status: got, json } = await act();
      assert.deepEqual([got, json.error.kind], [status, kind]);
      assert.deepEqual(Object.keys(json.error), ["kind", "message", "hint", "facts"]);
    }
    assert.equal(errors.length, 1);
  }));

test("the plan is replaced when it is understood, and kept when it is not", () =>
  serving(async ({ control: { port } }) => {
    const put = (text: string) =>
      ask(port, "PUT", "/v1/sweeps/lr/plan", { body: JSON.stringify({ text }) });
    assert.deepEqual((await put("# Plan\n")).json, { text: "# Plan\n" });
    const wrong = await put("nonsense");
    assert.equal(wrong.status, 422);
    assert.match(wrong.json.error.message, /line 1/);
    assert.deepEqual((await ask(port, "GET", "/v1/sweeps/lr/plan")).json, { text: "# Plan\n" });
  }));

test("a message is 202 when it is stored, and heard once however often it is sent", () =>
  serving(async ({ control: { port }, desk }) => {
    const post = (body: unknown) =>
      ask(port, "POST", "/v1/sweeps/lr/messages", { body: JSON.stringify(body) });
    const first = await post({ id: "m1", text: "how is it going?" });
    assert.deepEqual([first.status, first.json], [202, { id: "m1", heard: true }]);
    assert.deepEqual((await post({ id: "m1", text: "how is it going?" })).json.heard, false);
    const made = await post({ text: "and now?" });
    assert.match(made.json.id, /^api-/);
    assert.deepEqual(desk.received.map(({ from, name, text }) => [from, name, text]), [
      ["api:alice", "alice", "how is it going?"],
      ["api:alice", "alice", "and now?"],
    ]);
  }));

test("the last messages are what was heard and said, in order", () =>
  serving(async ({ client, desk }) => {
    const message = { id: "m", from: "cli:bob", name: "bob", text: "stop it" };
    desk.write({ type: "message-received", message });
    desk.write({ type: "unhalted" });
    desk.write({ type: "said", said: { key: "k", kind: "agent", text: "Stopped.", replyTo: "m" } });
    const { items } = await client.request<{ items: Record<string, unknown>[] }>(
      "GET",
      "/v1/sweeps/lr/messages",
    );
    assert.deepEqual(
      items.map(({ seq, direction, by, text, replyTo }) => [
        seq,
        direction,
        by,
        text,
        replyTo,
      ]),
      [[1, "heard", "cli:bob", "stop it", null], [3, "said", "rules", "Stopped.", "m"]],
    );
    const one = await client.request<{ items: unknown[] }>("GET", "/v1/sweeps/lr/messages?limit=1");
    assert.equal(one.items.length, 1);
  }));

test("a sweep is handed over, let go of, and the daemon ended", () =>
  serving(async ({ client, station }) => {
    const env = { HOME: "/home/alice", SECRET: "x" };
    const options = { noAgent: true, message: "go" };
    assert.equal((await client.hold({ path: "/w", env, options })).id, "second");
    assert.deepEqual(station.held, [{ request: { path: "/w", env, options }, by: "cli:alice" }]);
    await client.release("second");
    assert.deepEqual((await client.sweeps()).map(({ id }) => id), ["lr"]);
    await client.shutdown("enough");
    assert.deepEqual(station.ended, ["cli:alice: enough"]);
  }));

test("a restart says what it becomes, and is refused where that cannot be", () =>
  serving(async ({ client, station }) => {
    const daemon = await client.request<Record<string, unknown>>("GET", "/v1/daemon");
    assert.equal(daemon["executable"], "/home/ana/.local/bin/herd");
    assert.deepEqual(await client.request("POST", "/v1/restart", {}), {
      restarting: true,
      version: "10.0.0 (commit 7654321)",
    });
    assert.deepEqual(station.ended, ["cli:alice: restart"]);
    station.unfit = 'Cannot restart: "herd" does not start';
    await assert.rejects(client.request("POST", "/v1/restart", {}), RefusedError);
  }));

test("Prometheus gets text whose labels cannot be broken out of", () =>
  serving(async ({ control: { port }, station, desk }) => {
    station.list.push({ ...desk, id: 'a"b\\c\nd' });
    const said = await ask(port, "GET", "/metrics");
    assert.match(`${said.headers["content-type"]}`, /^text\/plain; version=0\.0\.4/);
    assert.match(said.text, /^herd_scheduler_calls_total\{program="squeue"\} 7$/m);
    assert.match(said.text, /^herd_trials\{sweep="lr",status="failed"\} 1$/m);
    assert.ok(said.text.includes('herd_sweep_usd{sweep="a\\"b\\\\c\\nd"} 0.25\n'));
    const line = /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="([^"\\\n]|\\.)*",?)+\})? -?[\d.e+]+)$/;
    for (const one of said.text.trimEnd().split("\n")) assert.match(one, line);
  }));

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { NothingError, RefusedError, SchedulerError, UserError } from "../../../lib/base/errors.ts";
import { exitCodeOf } from "../../../lib/base/explain.ts";
import { createControlClient } from "../../../lib/control/client.ts";
import type { RunAction } from "../../../lib/actions/run.ts";
import { readSweepFile } from "../../../lib/daemon/sweep-file.ts";
import { sampleConfig } from "../../support/sample-config.ts";
import { serving, TOKEN, until } from "./serving.ts";

const EXAMPLE = fileURLToPath(new URL("../../../example/hyperherd.yaml", import.meta.url));

test("an action and its result are the same on both sides, maps and errors included", () =>
  serving(async ({ client, station }) => {
    const seen: unknown[] = [];
    const result = {
      done: true,
      observations: [{ look: { inQueue: new Map([["1_2", { state: undefined }]]) } }],
      trouble: new SchedulerError("rejected", "Bad partition", { detail: "stderr" }),
    };
    station.performing = (id, action, by) => {
      seen.push([id, action, by]);
      return Promise.resolve(result);
    };
    const action = {
      verb: "halve" as const,
      config: sampleConfig(),
      settings: sampleConfig().halving!,
      scheduler: "local" as const,
      maxConcurrent: undefined,
    };
    const got = await client.perform("lr")(action) as unknown as typeof result;
    assert.deepStrictEqual(seen, [["lr", action, "cli:alice"]]);
    assert.deepStrictEqual(got.observations, result.observations);
    assert.ok(got.trouble instanceof SchedulerError);
    assert.deepEqual([got.trouble.kind, got.trouble.detail], ["rejected", "stderr"]);
  }));

test("a run of a whole sweep arrives as it was made, however its trials are expanded", () =>
  serving(async ({ client, station }) => {
    const { config, expansion, rows } = readSweepFile(EXAMPLE);
    const action = {
      verb: "run" as const,
      request: { force: false } as RunAction["request"],
      ...{ config, expansion, rows, scheduler: "local" as const, maxConcurrent: undefined },
    };
    let seen: unknown;
    station.performing = (_, arrived) => {
      seen = arrived;
      return Promise.resolve({ done: true });
    };
    await client.perform("lr")(action);
    assert.ok(expansion.trials.length > 3);
    assert.deepStrictEqual(seen, action);
  }));

test("what an action throws is thrown here as the same class, with hint, facts and exit code", () =>
  serving(async ({ client, station }) => {
    const thrown = [
      new UserError("Cannot", { hint: "h", mistakes: [{ message: "m", line: 2 }] }),
      new RefusedError("No", { hint: "h", facts: { indices: [1], held: undefined } }),
      new NothingError("None", { hint: "h" }),
      new SchedulerError("unreachable", "Silent", { detail: "d" }),
      new SchedulerError("rejected", "Bad"),
    ];
    for (const error of thrown) {
      station.performing = () => Promise.reject(error);
      const got = await client.perform("lr")({ verb: "clean" }).catch((caught) => caught);
      assert.equal(got.constructor, error.constructor, error.message);
      assert.equal(exitCodeOf(got), exitCodeOf(error));
      assert.deepStrictEqual({ ...got, m: got.message }, { ...error, m: error.message });
    }
    station.performing = () => Promise.reject(new TypeError("a bug"));
    await assert.rejects(client.perform("lr")({ verb: "clean" }), /daemon failed.*a bug/);
    await assert.rejects(client.perform("nope")({ verb: "clean" }), UserError);
  }));

test("a refusal of an action is a value, as without a daemon", () =>
  serving(async ({ client, station }) => {
    const refusal = { done: false as const, reason: "No", facts: { indices: [1] } };
    station.performing = () => Promise.resolve(refusal);
    assert.deepEqual(await client.perform("lr")({ verb: "clean" }), refusal);
  }));

test("a daemon that is not there is said so, at a socket and at a port", () =>
  serving(async ({ folder }) => {
    const free = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
    });
    for (const address of [{ socketPath: join(folder, "none") }, { port: free }]) {
      const client = createControlClient({ address, token: TOKEN });
      for (
        const asking of [
          () => client.request("GET", "/v1/sweeps"),
          () => client.events("/v1/sweeps/lr/events", { patienceMs: 0 }, () => {}),
        ]
      ) {
        await assert.rejects(asking, (error) => {
          assert.ok(error instanceof RefusedError, `${error}`);
          assert.match(error.message, /^No daemon answers at /);
          assert.equal(error.facts["daemon"], "none");
          return true;
        });
      }
    }
  }));

test("a daemon that dies or hangs in the middle leaves it open what was done, and says so", () =>
  serving(async ({ folder }) => {
    const path = join(folder, "dying");
    let hang = false;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => hang || socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const client = createControlClient({
      address: { socketPath: path },
      token: TOKEN,
      timeoutMs: 200,
    });
    for (hang of [false, true]) {
      await assert.rejects(client.request("POST", "/v1/shutdown", {}), (error) => {
        assert.ok(error instanceof SchedulerError, `${error}`);
        assert.equal(error.kind, "unreachable");
        return true;
      });
    }
    await new Promise((resolve) => server.close(resolve));
  }));

test("an abort ends a request at once", () =>
  serving(async ({ client, station }) => {
    const stop = new AbortController();
    let asked = false;
    const finish = Promise.withResolvers<unknown>();
    station.performing = () => {
      asked = true;
      return finish.promise;
    };
    const performing = client.perform("lr", stop.signal)({ verb: "clean" });
    performing.catch(() => {});
    await until(() => asked, "it arrives");
    stop.abort();
    await assert.rejects(performing, { name: "AbortError" });
    finish.resolve({ done: true });
  }));

test("a message that is sent again is heard once", () =>
  serving(async ({ client, desk }) => {
    assert.equal(await client.say("lr", { id: "x", text: "hello", name: "Alice" }), true);
    assert.equal(await client.say("lr", { id: "x", text: "hello", name: "Alice" }), false);
    assert.equal(await client.say("lr", { text: "hello" }), true);
    assert.deepEqual(desk.received.map(({ name }) => name), ["Alice", "alice"]);
  }));

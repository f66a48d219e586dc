import assert from "node:assert/strict";
import test from "node:test";
import { createControlApp } from "../../../lib/control/app.ts";
import { createControlClient } from "../../../lib/control/client.ts";
import { createScriptedStation } from "./scripted-station.ts";
import { ask, serving, TOKEN } from "./serving.ts";

const PATHS = ["/v1/sweeps", "/v1/sweeps/lr/events", "/metrics", "/openapi.json", "/no/such/path"];

test("without the token nothing is told, not even which paths there are", () =>
  serving(async ({ control: { port } }) => {
    for (const path of PATHS) {
      for (const token of ["", "wrong", `${TOKEN}x`, TOKEN.slice(1)]) {
        const said = await ask(port, "GET", path, { token });
        assert.equal(said.status, 401, `${path} with "${token}"`);
        assert.equal(said.json.error.kind, "unauthorized");
        assert.equal(said.headers["www-authenticate"], "Bearer");
        assert.ok(!said.text.includes(TOKEN));
      }
    }
    const query = await ask(port, "GET", `/v1/sweeps?token=${TOKEN}`, { token: "" });
    assert.equal(query.status, 401);
    const basic = { authorization: `Basic ${btoa(`u:${TOKEN}`)}` };
    assert.equal((await ask(port, "GET", "/v1/sweeps", { token: "", headers: basic })).status, 401);
  }));

test("the Unix socket wants the token as well", () =>
  serving(async ({ control: { socketPath } }) => {
    const stranger = createControlClient({ address: { socketPath }, token: "wrong" });
    assert.equal((await stranger.send("GET", "/v1/sweeps")).status, 401);
    assert.equal((await stranger.send("POST", "/v1/shutdown", "{}")).status, 401);
  }));

test("health is told to anybody on this machine, and nothing else with it", () =>
  serving(async ({ control: { port } }) => {
    const said = await ask(port, "GET", "/healthz", { token: "" });
    assert.deepEqual(said.json, { ok: true, version: "9.9.9" });
  }));

test("a name that was rebound to 127.0.0.1 is refused, token or not", () =>
  serving(async ({ control: { port }, desk }) => {
    const hosts = [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.2:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `localhost.:${port}`,
      `0.0.0.0:${port}`,
    ];
    for (const host of hosts) {
      for (const path of ["/v1/sweeps", "/healthz"]) {
        const said = await ask(port, "GET", path, { headers: { host } });
        assert.equal(said.status, 403, `${host} ${path}`);
        assert.equal(said.json.error.kind, "forbidden");
      }
      const body = "{}";
      await ask(port, "POST", "/v1/sweeps/lr/actions/tick", { headers: { host }, body });
    }
    assert.deepEqual(desk.acted, []);
    for (
      const host of [
        `127.0.0.1:${port}`,
        `localhost:${port}`,
        `LOCALHOST:${port}`,
        `[::1]:${port}`,
        // The other end of a tunnel.
        `localhost:${port + 1}`,
      ]
    ) {
      assert.equal((await ask(port, "GET", "/v1/sweeps", { headers: { host } })).status, 200, host);
    }
  }));

test("a host that no URL can have is refused in the same shape", () =>
  serving(async ({ control: { port } }) => {
    for (const host of ["a/b", "a b", "user@localhost"]) {
      const said = await ask(port, "GET", "/healthz", { headers: { host } });
      assert.ok(said.status === 400 || said.status === 403, `${host}: ${said.status}`);
      assert.equal(typeof said.json.error.message, "string");
    }
  }));

test("hosts that the configuration names are let in, and only those without a server", async () => {
  const app = createControlApp(createScriptedStation(), {
    token: TOKEN,
    allowedHosts: ["localhost:8000"],
    user: "alice",
  });
  const get = (host: string) =>
    app.request("/v1/sweeps", { headers: { host, authorization: `Bearer ${TOKEN}` } });
  assert.equal((await get("localhost:8000")).status, 200);
  assert.equal((await get("localhost:8001")).status, 403);
});

test("a page of another site is refused, our own is not, and nobody gets CORS headers", () =>
  serving(async ({ control: { port }, desk }) => {
    const own = `http://127.0.0.1:${port}`;
    const foreign = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `http://localhost:${port}` },
      { origin: `https://127.0.0.1:${port}` },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ];
    for (const headers of foreign) {
      const said = await ask(port, "POST", "/v1/sweeps/lr/actions/tick", { headers, body: "{}" });
      assert.equal(said.status, 403, JSON.stringify(headers));
      const preflight = await ask(port, "OPTIONS", "/v1/sweeps", { headers, token: "" });
      assert.equal(preflight.status, 403);
      for (const answer of [said, preflight]) {
        assert.equal(answer.headers["access-control-allow-origin"], undefined);
      }
    }
    assert.deepEqual(desk.acted, []);
    const headers = { origin: own, "sec-fetch-site": "same-origin" };
    const said = await ask(port, "POST", "/v1/sweeps/lr/actions/tick", { headers, body: "{}" });
    assert.equal(said.status, 200);
    assert.equal(said.headers["access-control-allow-origin"], undefined);
  }));

test("a body that is no JSON by its type is refused, as a form of another site would be", () =>
  serving(async ({ control: { port }, desk }) => {
    for (
      const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]
    ) {
      const said = await ask(port, "POST", "/v1/sweeps/lr/actions/tick", {
        headers: { "content-type": type },
        body: "{}",
      });
      assert.equal(said.status, 415, type);
      assert.equal(said.json.error.kind, "media-type");
    }
    assert.deepEqual(desk.acted, []);
    const headers = { "content-type": "Application/JSON; charset=utf-8" };
    const body = "{}";
    const said = await ask(port, "POST", "/v1/sweeps/lr/actions/tick", { headers, body });
    assert.equal(said.status, 200);
  }));

test("who acts is named by the daemon's user and the way that the client came", () =>
  serving(async ({ control: { port }, desk }) => {
    for (const way of ["cli", "mcp", "rules", "agent\u00e9"]) {
      const headers = { "x-herd-way": way };
      await ask(port, "POST", "/v1/sweeps/lr/actions/tick", { headers, body: "{}" });
    }
    assert.deepEqual(desk.acted.map(({ by }) => by), [
      "cli:alice",
      "mcp:alice",
      "api:alice",
      "api:alice",
    ]);
  }));

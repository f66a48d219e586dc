import assert from "node:assert/strict";
import test from "node:test";
import { z as theirs } from "@hono/zod-openapi";
import { z as ours } from "../../../lib/base/schema.ts";
import { ask, serving } from "./serving.ts";

type Json = Record<string, unknown>;

const ROUTES = `
  delete /v1/sweeps/{id} /v1/pool/workers/{worker}
  get /v1/pool /v1/pool/cost /v1/pool/models /v1/pool/tasks /v1/pool/tasks/{task}
  get /v1/pool/tasks/{task}/file
  post /v1/pool/clear /v1/pool/enrol /v1/pool/resume /v1/pool/scale /v1/pool/start /v1/pool/stop /v1/pool/tasks
  post /v1/pool/tasks/{task}/acknowledge /v1/pool/tasks/{task}/cancel /v1/pool/tasks/{task}/retry
  post /v1/pool/tasks/{task}/apply /v1/pool/tasks/{task}/dismiss /v1/pool/trials
  post /v1/pool/workers /v1/pool/workers/{worker}/drain /v1/pool/workers/{worker}/exchange
  post /v1/pool/workers/{worker}/files
  get /healthz /metrics /openapi.json /v1/daemon /v1/sweeps /v1/sweeps/{id}
  get /v1/sweeps/{id}/budget /v1/sweeps/{id}/efficiency /v1/sweeps/{id}/events
  get /v1/sweeps/{id}/messages /v1/sweeps/{id}/parameters /v1/sweeps/{id}/plan
  get /v1/sweeps/{id}/prompt /v1/sweeps/{id}/queue /v1/sweeps/{id}/results
  get /v1/sweeps/{id}/stats /v1/sweeps/{id}/ticks /v1/sweeps/{id}/trials
  get /v1/sweeps/{id}/trials/{index} /v1/sweeps/{id}/trials/{index}/attempts
  get /v1/sweeps/{id}/trials/{index}/log /v1/sweeps/{id}/trials/{index}/log/follow
  get /v1/sweeps/{id}/trials/{index}/metrics /v1/sweeps/{id}/trials/{index}/metrics/{name}
  get /v1/broker
  post /v1/broker/start
  get /v1/hosts
  post /v1/hosts/{host}/answer
  post /v1/restart /v1/shutdown /v1/sweeps /v1/sweeps/{id}/messages /v1/sweeps/{id}/perform
  post /v1/sweeps/{id}/slash
  put /v1/sweeps/{id}/plan
`;

const VERBS = [
  ..."run stop pause resume prune halve bump halt continue confirm schedule tick".split(" "),
  "acknowledge-prompt",
];

function expected(): string[] {
  const routes = ROUTES.trim().split("\n").flatMap((line) => {
    const [method, ...paths] = line.trim().split(" ");
    return paths.map((path) => `${method} ${path}`);
  });
  return [...routes, ...VERBS.map((verb) => `post /v1/sweeps/{id}/actions/${verb}`)].sort();
}

async function inDocument(use: (document: Json) => void | Promise<void>): Promise<void> {
  await serving(async ({ control: { port } }) => {
    await use((await ask(port, "GET", "/openapi.json")).json);
  });
}

function operations(document: Json): [string, Json][] {
  return Object.entries(document["paths"] as Record<string, Json>).flatMap(([path, methods]) =>
    Object.entries(methods).map((
      [method, one],
    ): [string, Json] => [`${method} ${path}`, one as Json])
  );
}

test("schemas of the API and of the rest of herd are made by one and the same library", () => {
  assert.equal(theirs.string, ours.string);
  assert.ok(theirs.string() instanceof ours.ZodString);
});

test("every route is described", () =>
  inDocument((document) => {
    assert.match(document["openapi"] as string, /^3\.1\./);
    assert.deepEqual(operations(document).map(([name]) => name).sort(), expected());
  }));

test("every route that is described is there", () =>
  serving(async ({ control: { port } }) => {
    const { json } = await ask(port, "GET", "/openapi.json");
    for (const [name] of operations(json)) {
      const [method, path] = name.split(" ");
      const real = path!.replace("{id}", "nope").replace("{index}", "0").replace("{name}", "loss");
      if (path === "/v1/shutdown" || path === "/v1/restart" || real === "/v1/sweeps") continue;
      const body = method === "get" || method === "delete" ? {} : { body: "{}" };
      const said = await ask(port, method!.toUpperCase(), real, body);
      const part = /^\/v1\/(pool|broker)/.exec(path!)?.[1];
      if (part !== undefined) {
        // There is none here; never an unknown path.
        assert.ok([200, 400, 404].includes(said.status), name);
        if (said.status === 404) assert.match(said.json.error.message, new RegExp(part), name);
        continue;
      }
      // An unknown sweep, or a body that lacks what it needs; never an unknown path.
      if (path!.includes("{host}")) assert.match(said.json.error.message, /log in at "{host}"/);
      else if (path!.includes("{id}")) assert.ok([400, 404].includes(said.status), name);
      else assert.equal(said.status, 200, name);
      const isSweep = path!.includes("{id}") && said.status === 404;
      if (isSweep) assert.match(said.json.error.message, /sweep "nope"/, name);
    }
  }));

test("each operation says its parameters, its body, its answer and its errors", () =>
  inDocument((document) => {
    for (const [name, operation] of operations(document)) {
      const responses = operation["responses"] as Record<string, { content: Record<string, Json> }>;
      const parameters = (operation["parameters"] ?? []) as Json[];
      const path = name.split(" ")[1]!;
      const inPath = parameters.filter((one) => one["in"] === "path").map((one) => one["name"]);
      assert.deepEqual(inPath, [...path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one), name);
      assert.ok(parameters.every((one) => one["schema"] !== undefined), name);
      const good = Object.keys(responses).filter((status) => status.startsWith("2"));
      assert.equal(good.length, 1, name);
      for (const [status, { content }] of Object.entries(responses)) {
        const [media, { schema }] = Object.entries(content)[0]! as [string, { schema: Json }];
        if (status.startsWith("2")) assert.ok(schema, name);
        else {
          assert.equal(media, "application/json");
          assert.deepEqual(schema, { $ref: "#/components/schemas/Failure" }, `${name} ${status}`);
        }
      }
      if (path !== "/healthz") assert.ok(responses["401"], name);
      assert.ok(responses["403"] && responses["500"], name);
      if (path.includes("{id}")) assert.ok(responses["404"], name);
      const withBody = name.startsWith("post") || name.startsWith("put");
      const content = (operation["requestBody"] as Json | undefined)?.["content"] as Json;
      // Bytes as they are have no schema.
      const isRaw = name === "post /v1/pool/workers/{worker}/files";
      assert.equal(content?.["application/json"] !== undefined, withBody && !isRaw, name);
      if (withBody) assert.ok(responses["413"] && responses["415"] && responses["408"], name);
    }
  }));

test("every reference of the description leads somewhere, and every type is one", () =>
  inDocument((document) => {
    const types = ["string", "number", "integer", "boolean", "object", "array", "null"];
    const { schemas } = document["components"] as { schemas: Json };
    let references = 0;
    const walk = (value: unknown, isSchema: boolean): void => {
      if (typeof value !== "object" || value === null) return;
      if (Array.isArray(value)) return value.forEach((one) => walk(one, isSchema));
      for (const [key, one] of Object.entries(value)) {
        if (key === "$ref") {
          references++;
          assert.ok(
            Object.hasOwn(schemas, String(one).replace("#/components/schemas/", "")),
            `${one}`,
          );
        }
        if (key === "type" && isSchema && typeof one === "string") {
          assert.ok(types.includes(one), `${one}`);
        }
        // Below `properties` the keys are names, so that "type" there is no type.
        const named = key === "properties";
        if (named) Object.values(one as Json).forEach((property) => walk(property, true));
        else walk(one, key === "schema" || key === "schemas" || isSchema);
      }
    };
    walk(document["paths"], false);
    walk(schemas, true);
    assert.ok(references > 100);
    assert.deepEqual(document["security"], [{ token: [] }]);
    const health = operations(document).find(([name]) => name === "get /healthz")![1];
    assert.deepEqual(health["security"], []);
  }));

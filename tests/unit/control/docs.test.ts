import assert from "node:assert/strict";
import test from "node:test";
import { STATUS_OF } from "../../../lib/control/failure.ts";
import { doc, section, tables } from "../../support/documented-keys.ts";
import { ask, serving } from "./serving.ts";

const PAGE = doc("api.md");
const plain = (cell = "") => cell.replaceAll("`", "");

test("docs/api.md lists every route and action that there is, and no other", () =>
  serving(async ({ control: { port } }) => {
    const { json } = await ask(port, "GET", "/openapi.json");
    const paths: [string, object][] = Object.entries(json.paths);
    const there = paths.flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
    );
    const routes = tables(section(PAGE, "## Routes"), ["Method", "Path", "What it gives"]).flat()
      .map(([method, path]) => `${method} ${plain(path)}`);
    const actions = tables(section(PAGE, "## Actions"), ["Verb", "Body", "What it does"]).flat()
      .map(([verb]) => `POST /v1/sweeps/{id}/actions/${plain(verb)}`);
    assert.deepEqual([...routes, ...actions].sort(), there.sort());
  }));

test("docs/api.md has the fields of each action's body", () =>
  serving(async ({ control: { port } }) => {
    const { json } = await ask(port, "GET", "/openapi.json");
    for (const [verb, body] of tables(PAGE, ["Verb", "Body", "What it does"]).flat()) {
      const operation = json.paths[`/v1/sweeps/{id}/actions/${plain(verb)}`].post;
      const { schema } = operation.requestBody.content["application/json"];
      const fields = Object.keys(schema.properties).filter((name) =>
        name !== "reason" || schema.required?.includes(name)
      );
      const named = fields.filter((field) => body!.includes(`\`${field}\``));
      assert.deepEqual(named, fields, verb);
    }
  }));

test("docs/api.md gives each kind of error its status", () => {
  const rows = tables(section(PAGE, "## Errors"), ["Status", "Kind", "Means"]).flat();
  const documented = rows.flatMap(([status, kinds]) =>
    plain(kinds).split(", ").map((kind) => [kind, Number(status)])
  );
  assert.deepEqual(Object.fromEntries(documented), { ...STATUS_OF });
});

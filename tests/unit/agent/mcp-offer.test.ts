import { test } from "node:test";
import assert from "node:assert/strict";
import { offeredName } from "../../../lib/agent/mcp-name.ts";
import { readOffer } from "../../../lib/agent/mcp-offer.ts";
import { fitSchema } from "../../../lib/agent/mcp-schema.ts";

const NONE = new Set<string>();

test("names of tools are safe, at most 64 characters long, and stay the same", () => {
  assert.equal(offeredName("wandb", "query_runs", NONE), "wandb__query_runs");
  assert.equal(offeredName("a-b.c", "d/e f", NONE), "a_b_c__d_e_f");
  const long = offeredName("server", "x".repeat(100), NONE);
  assert.equal(long.length, 64);
  assert.match(long, /^server__x+_[0-9a-f]{8}$/);
  assert.equal(offeredName("server", "x".repeat(100), NONE), long);
  assert.notEqual(offeredName("server", `${"x".repeat(100)}y`, NONE), long);
  const taken = new Set(["a__b__c"]);
  assert.match(offeredName("a__b", "c", taken), /^a__b__c_[0-9a-f]{8}$/);
});

test("a bad tool costs none of the others", () => {
  const { tools, problems } = readOffer([
    null,
    7,
    {},
    { name: "" },
    { name: 5 },
    { name: "good", inputSchema: { type: "object" }, annotations: { readOnlyHint: true } },
    { name: "plain" },
    { name: "text schema", inputSchema: "object" },
    { name: "good", description: "again" },
    { name: "odd", inputSchema: { type: "object", properties: { "a b": {} } } },
    { name: "huge", inputSchema: { type: "object", description: "x".repeat(9000) } },
    { name: "tagged", annotations: "yes", description: 5 },
  ], undefined);
  assert.deepEqual(tools.map(({ name, readOnly }) => [name, readOnly]), [
    ["good", true],
    ["plain", false],
    ["tagged", false],
  ]);
  assert.deepEqual(problems, [
    'its tool "text schema" is left out: the schema of its input is no object',
    'it names the tool "good" twice',
    'its tool "odd" is left out: the argument "a b" has a name that models refuse',
    'its tool "huge" is left out: the schema of its input is too long',
    "it lists tools without a name, which are left out",
  ]);
});

test("G.4: a server with hundreds of tools does not fill the prompt", () => {
  const many = Array.from({ length: 300 }, (_, i) => ({
    name: `t${i}`,
    description: "long ".repeat(1000),
  }));
  const { tools, problems } = readOffer(many, undefined);
  assert.equal(tools.length, 64);
  assert.ok(tools.every(({ description }) => description.length <= 1000));
  assert.match(problems[0]!, /it has 300 tools, of which the first 64/);
  assert.deepEqual(readOffer(many, ["t299"]).tools.map(({ name }) => name), ["t299"]);
  assert.deepEqual(readOffer(many, []).tools, []);
});

test("G.3: words that only a model would see are taken out of a description", () => {
  const hidden = "Reads\u202e\u200b runs\u0007.\nSecond line\u{e0049}\u{e0067}\u2066";
  const [tool] = readOffer([{ name: "a", description: hidden }], undefined).tools;
  assert.equal(tool!.description, "Reads runs.\nSecond line");
});

test("a schema is passed on as far as the Messages API takes it", () => {
  const good = {
    type: "object",
    properties: {
      run: { type: "string", description: "Which", enum: ["a", "b"], default: "a" },
      many: { type: ["array", "null"], items: { $ref: "#/$defs/one" }, minItems: 1 },
      any: { anyOf: [{ type: "string" }, { type: "integer", minimum: 0 }] },
      nested: { type: "object", properties: { deep: { const: 1 } }, additionalProperties: false },
    },
    required: ["run"],
    additionalProperties: false,
    $defs: { one: { type: "string", pattern: "^a+$" } },
  };
  assert.deepEqual(fitSchema(good), { schema: good });
  const bad = {
    $schema: "http://json-schema.org/draft-04/schema#",
    type: ["object", "weird"],
    anyOf: [{ required: ["a"] }],
    properties: {
      a: { type: "text", minimum: "3", exclusiveMinimum: true, enum: [], pattern: "(" },
      b: { type: "array", items: [{ type: "string" }] },
      c: { $ref: "https://evil.example/schema.json" },
      d: true,
      e: 5,
    },
    required: ["a", "zz", 7, "a"],
  };
  assert.deepEqual(fitSchema(bad), {
    schema: {
      type: "object",
      properties: { a: {}, b: { type: "array" }, c: {}, d: true, e: {} },
      required: ["a"],
    },
  });
  assert.deepEqual(fitSchema(undefined), { schema: { type: "object", properties: {} } });
});

test("a schema without end is cut", () => {
  let schema: Record<string, unknown> = { type: "string" };
  for (let i = 0; i < 10_000; i++) schema = { type: "object", properties: { x: schema } };
  const fitted = fitSchema(schema);
  assert.ok("schema" in fitted && JSON.stringify(fitted).length < 1000);
});

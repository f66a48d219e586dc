import assert from "node:assert/strict";
import { test } from "node:test";
import { brokerDefinitions } from "../../../lib/discord/broker-commands.ts";
import { mergeCommands } from "../../../lib/discord/merge-commands.ts";
import { poolDefinitions } from "../../../lib/discord/pool-commands.ts";
import { slashDefinitions } from "../../../lib/discord/slash-definitions.ts";

test("the commands of sweeps, pool and broker are one set with each name once", () => {
  const sets = [slashDefinitions(), poolDefinitions({ models: {} }), brokerDefinitions()];
  const merged = mergeCommands(sets);
  const names = merged.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(new Set(names), new Set(sets.flat().map(({ name }) => name)));
  assert.ok(names.length <= 100);
});

test("of two commands with one name, options are those of both, and only what both insist on is required", () => {
  const text = (name: string, required: boolean) =>
    ({ name, description: name, type: "text", required }) as const;
  const [one] = mergeCommands([
    [{ name: "cancel", description: "a job", options: [text("trial", true), text("why", true)] }],
    [{ name: "cancel", description: "a turn", options: [text("why", true), text("all", true)] }],
  ]);
  assert.equal(one!.description, "a job · a turn");
  assert.deepEqual(one!.options.map(({ name, required }) => [name, required]), [
    ["trial", false],
    ["why", true],
    ["all", false],
  ]);
});

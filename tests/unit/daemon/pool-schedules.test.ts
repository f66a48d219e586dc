import assert from "node:assert/strict";
import test from "node:test";
import { fireSchedules } from "../../../lib/daemon/pool-schedules.ts";
import { isTaskId } from "../../../lib/tasks/exchange-schema.ts";
import type { PoolDesk } from "../../../lib/tasks/pool-desk.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

const YAML = `pool:
  defaults: {model: m}
  backends: {b: {kind: command, command: [cat], input: stdin, result: stdout}}
  models: {m: {backend: b}}
  schedules:
    every: {cron: "* * * * *", task: "look around", catch_up: all}
`;

test("a task of a schedule has an id that workers understand, one for each time", () => {
  const { pool } = readHerdConfig(YAML, "config.yaml");
  const now = Date.parse("2026-11-21T12:06:30Z");
  const ids: string[] = [];
  const fired: [string, number, string][] = [];
  const desk = {
    config: () => pool!,
    state: () => ({ fired: new Map([["every", now - 60_000]]) }),
    submit: (_text: string, _tags: object, _origin: object, id: string) => ids.push(id),
    fired: (...one: [string, number, string]) => fired.push(one),
  } as unknown as PoolDesk;
  fireSchedules(desk, now);
  assert.deepEqual(ids, ["s-every-2026-11-21T1206"]);
  assert.ok(ids.every(isTaskId));
  assert.deepEqual(fired, [["every", Date.parse("2026-11-21T12:06:00Z"), ids[0]]]);
});

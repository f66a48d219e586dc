import assert from "node:assert/strict";
import { test } from "node:test";
import { argumentsOf } from "../../../lib/discord/command-arguments.ts";
import { completionsFor } from "../../../lib/discord/completions.ts";
import { whatItEnds } from "../../../lib/discord/destructive.ts";
import { slashDefinitions } from "../../../lib/discord/slash-definitions.ts";
import { writeCommand } from "../../../lib/discord/write-command.ts";
import type { Interaction } from "../../../lib/discord/gateway-event.ts";
import { checkSlash, parseSlash } from "../../../lib/slash/parse.ts";
import { findSlash, SLASH } from "../../../lib/slash/table.ts";
import { checkChoices, checkCommands } from "../../support/discord/limits.ts";
import { openApiCheck } from "../../support/discord/openapi-check.ts";
import { scriptedDesk } from "../../support/scripted-desk.ts";

test("every command fits Discord's limits and its published description", () => {
  const all = slashDefinitions().map(writeCommand);
  checkCommands(all as Record<string, unknown>[]);
  const path = "/applications/1/guilds/2/commands";
  assert.equal(openApiCheck()?.check("PUT", path, JSON.parse(JSON.stringify(all))), undefined);
});

test("options given by name become the words that the table reads, whatever is left out", () => {
  const words = (name: string, options: Record<string, string | number>) => {
    const parsed = checkSlash({ command: name, args: argumentsOf(findSlash(name)!, options) });
    return "mistake" in parsed ? parsed.mistake : parsed.args;
  };
  assert.deepEqual(words("tail", { index: 3 }), ["3"]);
  assert.deepEqual(words("tail", { index: 3, stream: "stdout" }), ["3", "20", "stdout"]);
  assert.deepEqual(words("run", { indices: "0, 3 7-9", force: "force" }), ["0,3,7-9", "force"]);
  assert.deepEqual(words("prune", { indices: "3", reason: "it is dull" }), ["3", "it is dull"]);
  assert.deepEqual(words("bump", { what: "mem", amount: "16G" }), ["mem", "16G"]);
  assert.match(`${words("cancel", { indices: "all of them" })}`, /wanted are indices/);
});

function completing(name: string, option: string, value: string) {
  return { kind: "completion", name, options: {}, focused: { name: option, value } } as unknown as
    & Interaction
    & { kind: "completion" };
}

test("completions are at most 25, fit, and offer what the command is likely about", () => {
  const desk = scriptedDesk(10_000, {
    name: (index) => `trial with a long name ${"x".repeat(150)} ${index}`,
  });
  for (
    const [name, option] of [["tail", "index"], ["cancel", "indices"], ["run", "indices"], [
      "plot",
      "trials",
    ]]
  ) {
    for (const typed of ["", "1", "12", "9999", "3,", "0-", "failed", "nothing like it", "💥"]) {
      const found = completionsFor(desk, completing(name!, option!, typed));
      checkChoices(found.map((one) => ({ ...one })));
      assert.ok(found.length <= 25);
    }
  }
  const status = (value: string | number) => desk.trial(Number(value))!.status;
  assert.ok(
    completionsFor(desk, completing("cancel", "indices", "")).every(({ value }) =>
      status(value) === "running"
    ),
  );
  assert.equal(status(completionsFor(desk, completing("tail", "index", ""))[0]!.value), "failed");
  const listed = completionsFor(desk, completing("cancel", "indices", "0,4"));
  assert.ok(listed.every(({ value }) => `${value}`.startsWith("0,4")));
  assert.deepEqual(completionsFor(desk, completing("tail", "index", "77"))[0]!.value, 77);
});

test("what ends or throws away something is asked about, what can be taken back is not", () => {
  const desk = scriptedDesk(8);
  const ends = (text: string) => {
    const parsed = parseSlash(text);
    assert.ok(parsed !== undefined && !("mistake" in parsed), text);
    return whatItEnds(desk, parsed);
  };
  const asked = [
    "/cancel_all",
    "/stop",
    "/shutdown",
    "/prune 3",
    "/cancel 1-3",
    "/run 3 force",
    "/sh",
  ];
  const free = [
    "/cancel 3",
    "/run 3",
    "/run_all",
    "/sh dry_run",
    "/pause 3",
    "/resume 3",
    "/halt",
    "/tick",
  ];
  for (const text of asked) assert.ok(ends(text), text);
  for (const text of free) assert.equal(ends(text), undefined, text);
  assert.equal(ends("/cancel_all"), "cancel all 2 live trials");
});

test("every command of the table is offered", () => {
  const names = slashDefinitions().map(({ name }) => name);
  for (const { name } of SLASH) assert.ok(names.includes(name), name);
  for (const name of ["shutdown", "plot", "thread"]) assert.ok(names.includes(name), name);
});

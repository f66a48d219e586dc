import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { readLine } from "../../../lib/store/journal-lines.ts";
import { inSweep, localYaml, runCommand, runJson, untilStatus } from "../../support/command.ts";
import { doc, section, tables } from "../../support/documented-keys.ts";

const PAGE = doc("files.md");

test("docs/files.md lists what a sweep has in .hyperherd, and nothing that no sweep has", () =>
  inSweep({
    yaml: localYaml(2),
    launcher: '#!/bin/bash\necho \'{"a": 1}\' > ".hyperherd/results/$HYPERHERD_TRIAL_ID.json"\n',
  }, async ({ path }) => {
    await runJson(["test", path, "1"]);
    await runJson(["run", path]);
    await untilStatus(path, (all) => all.every((one) => one === "completed"));
    const listed = tables(section(PAGE, "## What lies there"), ["Name", "What it is", "Written by"])
      .flat().map(([name = ""]) => name.replaceAll("`", ""));
    const state = join(path, ".hyperherd");
    // A snapshot is made when the journal has grown long, the others by a monitor: tests/e2e/readme.test.ts.
    const later = [
      "snapshot.json",
      "MONITOR_PLAN.md",
      "control.json",
      "discord.json",
      "monitor-lease",
    ];
    const found = [...readdirSync(state), ...later].sort();
    assert.deepEqual(found.filter((name) => !/\.tmp/.test(name)), [...listed].sort());
    const [submission = ""] = readdirSync(join(state, "submissions"));
    assert.match(submission, /^[a-z0-9]{10}$/);
    const files = readdirSync(join(state, "submissions", submission)).sort();
    assert.deepEqual(files, ["job.sbatch", "table.tsv"]);
    assert.match(readdirSync(join(state, "events", submission)).join(" "), /^\d+\.tsv/);
    const privates = [
      "lease",
      "events",
      "submissions",
      "local",
      "journal.jsonl",
      "agent_log.jsonl",
    ];
    for (const name of privates) assert.equal(statSync(join(state, name)).mode & 0o077, 0, name);
    assert.equal(statSync(state).mode & 0o777, 0o700);
  }));

test("the line of a journal in docs/files.md is one", () => {
  const [, text = ""] = /```json\n(.*)\n```/.exec(PAGE)!;
  assert.equal(readLine(text).kind, "event");
});

test("a journal whose middle is damaged is shown and not submitted from, as docs/files.md says", () =>
  inSweep({ yaml: localYaml(2) }, async ({ path, read, write }) => {
    await runJson(["run", path]);
    await untilStatus(path, (all) => all.every((one) => one === "completed"));
    const lines = read(".hyperherd/journal.jsonl").split("\n");
    write(
      ".hyperherd/journal.jsonl",
      [...lines.slice(0, 2), "rubbish", ...lines.slice(2)].join("\n"),
    );
    const shown = await runCommand(["status", path]);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /2 trials: 2 completed/);
    assert.match(shown.stderr, /line 3 is skipped/);
    const refused = await runCommand(["run", path, "-i", "0", "-f"]);
    assert.equal(refused.code, 3);
    write(".hyperherd/journal.jsonl", lines.join("\n"));
    assert.equal((await runCommand(["run", path, "-i", "0", "-f"])).code, 0);
    await untilStatus(path, (all) => all.every((one) => one === "completed"));
  }));

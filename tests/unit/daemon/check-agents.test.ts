import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { checkAgents } from "../../../lib/daemon/check-agents.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

function check(t: TestContext, more: (folder: string) => string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "herd-check-agents-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "kiro-cli"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(folder, "file"), "");
  const { broker } = readHerdConfig(`broker:\n  discord: {allow_dm: true}\n${more(folder)}`, "x");
  return checkAgents(broker!, { PATH: folder, ...env }).map(({ mark, message, mend }) =>
    `${mark} ${message.replaceAll(folder, "FOLDER")}${mend === undefined ? "" : ` → ${mend}`}`
  );
}

test("an agent whose program is here is good; one that is not keeps its bot from answering", (t) => {
  assert.deepEqual(check(t, () => "  agent: {kind: acp, command: [kiro-cli]}\n"), [
    'good Agent "herd" has what it needs here',
  ]);
  assert.deepEqual(check(t, () => "  agent: {kind: acp, command: [kiro-clj]}\n"), [
    'bad The program of agent "herd" is not on this machine: "kiro-clj" → ' +
    "Install it where herd runs, or give its whole path",
  ]);
});

test("a key or a variable to hand on that is not set is bad: no agent begins without", (t) => {
  const api = () => "  agent: {kind: anthropic, api_key_env: KEY}\n  model: m\n";
  assert.match(check(t, api)[0]!, /^bad The key of agent "herd" is not here: KEY.*where herd runs/);
  assert.match(check(t, api, { KEY: "k" })[0]!, /^good/);
  const handsOn = () => "  agent: {kind: acp, command: [kiro-cli], env: [HOME, TOKEN]}\n";
  const mend = " → Set it where herd runs or in .env beside the configuration, " +
    "or take it out of the agent's env";
  assert.deepEqual(check(t, handsOn, { HOME: "/x" }), [
    `bad Agent "herd" is to be given TOKEN, which is not set: it does not begin${mend}`,
  ]);
  assert.deepEqual(check(t, handsOn, { HOME: "/x", TOKEN: "" }), [
    'good Agent "herd" has what it needs here',
    `doubt Agent "herd" is to be given TOKEN, which is empty${mend}`,
  ]);
  assert.equal(check(t, handsOn, { HOME: "/x", TOKEN: "t" }).length, 1);
});

test("a project that is not there and a working_dir that cannot be made are told", (t) => {
  const agent = "  agent: {kind: acp, command: [kiro-cli]}\n";
  const told = check(
    t,
    (folder) =>
      `${agent}  projects: {"1": "${folder}/none", "2": "${folder}"}\n` +
      `  workspace: {working_dir: "${folder}/file/below"}\n`,
  );
  assert.deepEqual(told.slice(1), [
    'bad The project of channel 1 of the bot "herd" is not there: "FOLDER/none" → ' +
    "Make the folder, or correct its path",
    'bad The bot "herd" cannot write in its working_dir: "FOLDER/file/below" → ' +
    "Give it another, or the right to write there",
  ]);
  const fine = check(t, (folder) => `${agent}  workspace: {working_dir: "${folder}/new/one"}\n`);
  assert.equal(fine.length, 1);
});

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createBrokerFile } from "../../../lib/daemon/broker-file.ts";

function scene(t: TestContext, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "herd-broker-file-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const told: string[] = [];
  const path = join(folder, "config.yaml");
  const file = createBrokerFile({ HERD_CONFIG: path, ...env }, (message) => told.push(message));
  const write = (text: string, name = "config.yaml") =>
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  const channels = () => file.current().broker.bots.map(({ rules }) => rules.channels);
  return { file, told, write, channels, path };
}

const section = (channel: string) =>
  `broker:\n  discord: {allowed_channels: ["${channel}"], allow_all_users: true}\n` +
  "  agent: {kind: acp, command: [x]}\n";

test("a section that comes later is taken, a file that stays the same is read once", (t) => {
  const { file, told, write, channels } = scene(t);
  assert.ok(!file.look());
  assert.throws(() => file.current(), /there is no ".*config\.yaml"/);
  write("pool: {}\n");
  assert.ok(!file.look());
  write(section("123"));
  assert.ok(file.look());
  assert.ok(!file.look());
  assert.deepEqual(channels(), [["123"]]);
  assert.deepEqual(told, []);
});

test("a mistake is told once, with its place, and what was good goes on until it is mended", (t) => {
  const { file, told, write, channels } = scene(t);
  write(section("123"));
  file.look();
  const broken: [string, RegExp][] = [
    [section("123").replace("allowed_channels", "allowed_chanels"), /Did you mean "allowed_chan/],
    [section("124").slice(0, 40), /goes on as it was configured/],
    ["", /has no section "broker"/],
    [section("${NOWHERE}"), /"NOWHERE" is not set[^]*beside/],
  ];
  for (const [text, wanted] of broken) {
    write(text);
    assert.ok(!file.look());
    assert.ok(!file.look());
    assert.match(told.splice(0).join("\n"), wanted);
    assert.match(file.mistake()!, wanted);
    assert.deepEqual(channels(), [["123"]]);
  }
  write(section("125"));
  assert.ok(file.look());
  assert.equal(file.mistake(), undefined);
  assert.deepEqual(channels(), [["125"]]);
});

test("variables are those of .env beside the file as it is now; the environment's own come first", (t) => {
  const { file, write, channels } = scene(t, { FIRST: "1" });
  write("FIRST=9\nSECOND=2\n", ".env");
  write(section('${FIRST}", "${SECOND}'));
  file.look();
  assert.deepEqual(channels(), [["1", "2"]]);
  assert.equal(file.current().env["SECOND"], "2");
  write("SECOND=3\n", ".env");
  assert.ok(file.look(), "a change of .env is a change");
  assert.deepEqual(channels(), [["1", "3"]]);
});

test("a file that cannot be read, and no place for one, are told once", (t) => {
  const { file, told, write, path } = scene(t);
  write(section("123"));
  file.look();
  rmSync(path);
  assert.ok(!file.look());
  assert.equal(told.length, 1);
  if (process.getuid?.() !== 0) {
    write(section("123"));
    chmodSync(path, 0);
    assert.ok(!file.look());
    assert.equal(told.length, 2);
  }
  const nowhere: string[] = [];
  const none = createBrokerFile({}, (message) => nowhere.push(message));
  none.look();
  none.look();
  assert.equal(nowhere.length, 1);
  assert.match(nowhere[0]!, /"HOME" is not set/);
});

import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { RefusedError, UserError } from "../../../lib/base/errors.ts";
import { openPoolSetup } from "../../../lib/daemon/pool-setup.ts";
import type { PoolSetupWish } from "../../../lib/daemon/pool-setup.ts";
import { readPoolConfig } from "../../../lib/daemon/pool-settings.ts";
import { removeTree } from "../../support/remove-tree.ts";

/** Another section of the file. */
const BROKER = "broker: {discord: {}, agent: {kind: acp, preset: claude}}";
const OTHER = "broker: {discord: {}, agent: {kind: acp, preset: gemini}}";

const WISH: PoolSetupWish = {
  discord: undefined,
  usdPerDay: 3,
  parts: [{
    backends: { api: { kind: "anthropic", api_key: "sk-of-gold" } },
    models: { primary: { backend: "api", model: "m" } },
  }],
};

async function inHome(
  use: (scene: {
    folder: string;
    path: string;
    env: Record<string, string>;
    setup: ReturnType<typeof openPoolSetup>;
  }) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd set up-"));
  const path = join(folder, "a b/config.yaml");
  const env = { HOME: folder, HERD_CONFIG: path };
  const setup = openPoolSetup({
    env,
    clock: createSystemClock(),
    log: { path: undefined, write: () => {} },
    signal: new AbortController().signal,
  });
  try {
    await use({ folder, path, env, setup });
  } finally {
    removeTree(folder);
  }
}

async function made(setup: ReturnType<typeof openPoolSetup>, force = false) {
  setup.begin(force);
  return await setup.carryOut(await setup.prepare(WISH));
}

test("D.11.29: what set-up writes is where every other command reads, for its owner alone", () =>
  inHome(async ({ path, env, setup }) => {
    const { path: told, before } = await made(setup);
    assert.deepEqual([told, before], [path, undefined]);
    const notices: string[] = [];
    const config = readPoolConfig(env, ({ message }) => notices.push(message));
    assert.deepEqual(notices, []);
    assert.equal(config.budget.usdPerDay, 3);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(path, "..")).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(join(path, "..")), ["config.yaml"]);
  }));

test("what is shown before it is written has no secret in it", () =>
  inHome(async ({ setup }) => {
    setup.begin(false);
    const { shown } = await setup.prepare(WISH);
    assert.match(shown, /api_key: "\(not shown\)"/);
    assert.ok(!shown.includes("sk-of-gold"));
  }));

test("a section that is there is replaced only when it was told to, and kept beside it", () =>
  inHome(async ({ path, setup }) => {
    mkdirSync(join(path, ".."));
    const old = `# a\npool: {defaults: {timeout: 60}} # b\n${BROKER}\n`;
    writeFileSync(path, old, { mode: 0o644 });
    assert.throws(() => setup.begin(false), RefusedError);
    const { before } = await made(setup, true);
    assert.equal(readFileSync(before!, "utf8"), old);
    assert.equal(statSync(before!).mode & 0o777, 0o600);
    const now = readFileSync(path, "utf8");
    assert.match(now, /^# a\npool:\n/);
    assert.ok(now.endsWith(`\n${BROKER}\n`));
  }));

test("a link stays a link, a file that somebody changed meanwhile is not overwritten", () =>
  inHome(async ({ folder, path, setup }) => {
    mkdirSync(join(path, ".."));
    const real = join(folder, "dotfile");
    writeFileSync(real, `${BROKER}\n`);
    symlinkSync(real, path);
    setup.begin(false);
    const plan = await setup.prepare(WISH);
    writeFileSync(real, `${OTHER}\n`);
    await assert.rejects(setup.carryOut(plan), RefusedError);
    assert.equal(readFileSync(real, "utf8"), `${OTHER}\n`);
    await made(setup);
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.ok(readFileSync(real, "utf8").startsWith(`${OTHER}\n\npool:\n`));
    assert.equal(statSync(real).mode & 0o777, 0o600);
  }));

test("a file that is no YAML, and one that cannot take a section, are refused untouched", () =>
  inHome(async ({ path, setup }) => {
    mkdirSync(join(path, ".."));
    writeFileSync(path, "broker: [1\n");
    assert.throws(() => setup.begin(true), UserError);
    writeFileSync(path, "{broker: 1}\n");
    setup.begin(false);
    await assert.rejects(setup.prepare(WISH), /no braces|as it is written/);
    assert.equal(readFileSync(path, "utf8"), "{broker: 1}\n");
  }));

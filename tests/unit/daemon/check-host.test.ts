import assert from "node:assert/strict";
import { unlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import type { Finding } from "../../../lib/base/finding.ts";
import { checkHost } from "../../../lib/daemon/check-host.ts";
import { openSshdScene, type SshdScene } from "../../support/sshd-scene.ts";
import { withoutSshd } from "../../support/sshd.ts";

const onSshd = { skip: withoutSshd };

async function checked(scene: SshdScene, name = `127.0.0.1:${scene.server.port}`) {
  const findings: Finding[] = [];
  const { ok } = await checkHost(name, {
    env: { HOME: scene.home },
    clock: createSystemClock(),
    log: { write: () => {}, path: undefined },
    asker: undefined,
    signal: new AbortController().signal,
    onFinding: (finding) => findings.push(finding),
  });
  return { ok, lines: findings.map(({ mark, message }) => `${mark}: ${message}`) };
}

test("each step of the way to a host is said", onSshd, async () => {
  await using scene = await openSshdScene();
  const { ok, lines } = await checked(scene);
  assert.equal(ok, true, lines.join("\n"));
  assert.match(lines[0]!, /^good: Settings: .*@127\.0\.0\.1, port \d+$/);
  assert.match(lines[1]!, /^good: The server is OpenSSH.*, its key ssh-ed25519 SHA256:/);
  assert.match(lines[2]!, /^good: Logged in by publickey/);
  assert.equal(lines.at(-1), "good: SFTP works");
});

test(
  "a host without SFTP still tells of its programs, and one for SFTP alone of that",
  onSshd,
  async () => {
    await using shell = await openSshdScene({ shell: "/bin/sh" });
    const programs = await checked(shell);
    assert.equal(programs.ok, false);
    assert.ok(programs.lines.some((line) => /^good: Linux .*, shell .*, home /.test(line)));
    assert.match(programs.lines.at(-1)!, /^bad: Cannot open SFTP/);
    await using sftp = await openSshdScene({ config: ["ForceCommand internal-sftp"] });
    const files = await checked(sftp);
    assert.equal(files.ok, false);
    assert.match(files.lines.at(-2)!, /^bad: /);
    assert.equal(files.lines.at(-1), "good: SFTP works");
  },
);

test("what was good before a login failed is said too", onSshd, async () => {
  await using scene = await openSshdScene();
  unlinkSync(scene.path("id_ed25519"));
  const refused = await checked(scene);
  assert.match(refused.lines[1]!, /^good: .* answers, and its key is the one that is known$/);
  assert.match(refused.lines[2]!, /^bad: Cannot log in at/);
  writeFileSync(scene.path("known_hosts"), "");
  const unknown = await checked(scene);
  assert.match(unknown.lines[1]!, /^good: An ssh server answers at/);
  assert.match(unknown.lines[2]!, /^bad: Cannot trust/);
  const absent = await checked(scene, "127.0.0.1:1");
  assert.equal(absent.lines.length, 2);
  assert.match(absent.lines[1]!, /^bad: .*the connection was refused/);
});

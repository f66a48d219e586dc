import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { appendKnownHost } from "../../../lib/ssh/append-known-host.ts";
import { fingerprint } from "../../../lib/ssh/host-key.ts";
import { judgeKey, keptName, parseKnownHosts } from "../../../lib/ssh/known-hosts.ts";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import { scriptedAsker } from "../../support/scripted-asker.ts";
import { createSshScene } from "../../support/ssh-scene.ts";
import { generateKey, startSshd, withoutSshd } from "../../support/sshd.ts";

const onSshd = { skip: withoutSshd };

const A = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB";
const B = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC";
const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

function verdict(text: string, host: string, port = 22, key = A): string {
  const { kind, ...more } = judgeKey(
    parseKnownHosts(text, "f"),
    keptName(host, port),
    bytes(key),
    host,
  );
  const place = "kept" in more
    ? more.kept[0]?.place
    : "line" in more
    ? more.line.place
    : "authorities" in more
    ? more.authorities[0]?.place
    : undefined;
  return place === undefined ? kind : `${kind} ${place}`;
}

test("plain names, lists, patterns and negation are read as ssh reads them", () => {
  assert.equal(verdict(`a,b ssh-ed25519 ${A} comment\n`, "b"), "known");
  assert.equal(verdict(`*.org,!bad.org ssh-ed25519 ${A}\n`, "x.org"), "known");
  assert.equal(verdict(`*.org,!bad.org ssh-ed25519 ${A}\n`, "bad.org"), "unknown");
  assert.equal(verdict(`A.Org ssh-ed25519 ${A}\n`, "a.oRG"), "known");
  assert.equal(verdict(`# a ssh-ed25519 ${A}\n\n   \nrubbish\n`, "a"), "unknown");
  assert.equal(verdict(`1024 35 1234567\na ssh-rsa ${A}\na ssh-ed25519 !!!\n`, "a"), "unknown");
});

test("a port that is not 22 has entries of its own, and an equal key without a port counts", () => {
  assert.equal(verdict(`[a]:2222 ssh-ed25519 ${A}\n`, "a", 2222), "known");
  assert.equal(verdict(`[a]:2222 ssh-ed25519 ${A}\n`, "a", 22), "unknown");
  assert.equal(verdict(`a ssh-ed25519 ${A}\n`, "a", 2222), "known");
  assert.equal(verdict(`a ssh-ed25519 ${B}\n`, "a", 2222), "unknown");
  assert.equal(
    verdict(`[a]:2222 ssh-ed25519 ${B}\na ssh-ed25519 ${A}\n`, "a", 2222),
    "changed f:1",
  );
});

test("another key of the same type has changed, one of another type is unknown", () => {
  assert.equal(verdict(`x y\na ssh-ed25519 ${B}\n`, "a"), "changed f:2");
  assert.equal(verdict(`a ssh-ed25519 ${B}\na ssh-ed25519 ${A}\n`, "a"), "known");
  const rsa = "AAAAB3NzaC1yc2EAAAABIw==";
  assert.equal(verdict(`a ssh-rsa ${rsa}\n`, "a"), "unknown");
});

test("a revoked key is refused also where it is known; an authority is seen and not believed", () => {
  assert.equal(verdict(`a ssh-ed25519 ${A}\n@revoked * ssh-ed25519 ${A}\n`, "a"), "revoked f:2");
  assert.equal(verdict(`@cert-authority *.org ssh-ed25519 ${A}\n`, "a.org"), "unknown f:1");
  assert.equal(verdict(`@new-thing a ssh-ed25519 ${A}\n`, "a"), "unknown");
});

test(
  "what ssh-keygen has hashed is found, and what herd hashes is found by ssh-keygen",
  onSshd,
  async () => {
    await using scene = createSshScene();
    const file = scene.path("known_hosts");
    writeFileSync(file, `plain.org ssh-ed25519 ${A}\n[p.org]:7 ssh-ed25519 ${B}\n`);
    execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "ignore" });
    const text = readFileSync(file, "utf8");
    assert.doesNotMatch(text, /org/);
    assert.equal(verdict(text, "plain.org"), "known");
    assert.equal(verdict(text, "p.org", 7, B), "known");
    assert.equal(verdict(text, "p.org", 8, B), "unknown");
    appendKnownHost(file, "[mine.org]:9", bytes(A), { hashed: true });
    const found = execFileSync("ssh-keygen", ["-F", "[mine.org]:9", "-f", file], {
      encoding: "utf8",
    });
    assert.match(found, /found: line 3/);
  },
);

test("a line is added after a torn last one, and a new file is only its owner's", async () => {
  await using scene = createSshScene();
  const file = scene.path("deep/known_hosts");
  appendKnownHost(file, "a", bytes(A), { hashed: false });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, "torn");
  appendKnownHost(file, "a", bytes(A), { hashed: false });
  assert.equal(readFileSync(file, "utf8"), `torn\na ssh-ed25519 ${A}\n`);
});

test("the fingerprint is the one that ssh-keygen shows", onSshd, async () => {
  await using scene = createSshScene();
  generateKey(scene.path("k"));
  const shown = execFileSync("ssh-keygen", ["-lf", scene.path("k.pub")], { encoding: "utf8" });
  const key = readFileSync(scene.path("k.pub"), "utf8").split(" ")[1]!;
  assert.equal(shown.split(" ")[1], fingerprint(bytes(key)));
});

test(
  "a host that is not known is asked for with its fingerprint, and kept after a yes",
  onSshd,
  async () => {
    await using server = await startSshd();
    await using scene = createSshScene();
    server.authorize(`${scene.key("id_ed25519")}.pub`);
    const name = `127.0.0.1:${server.port}`;
    const wanted = (error: SshError) => error.step === "host-key";
    await assert.rejects(scene.host(name).connect(), wanted);
    const no = scriptedAsker(() => "no");
    await assert.rejects(scene.host(name, { asker: no.asker }).connect(), wanted);
    const print = fingerprint(bytes(server.hostKey.split(" ")[1]!));
    const yes = scriptedAsker(({ attempt }) => attempt === 1 ? "what" : print);
    const host = scene.host(name, { asker: yes.asker });
    await host.connect();
    assert.match(yes.asked[0]!.prompt, /ED25519 SHA256:/);
    assert.ok(yes.asked[0]!.prompt.includes(print));
    assert.equal(
      scene.knownHosts(),
      `[127.0.0.1]:${server.port} ${server.hostKey.split(" ").slice(0, 2).join(" ")}\n`,
    );
    await scene.host(name).connect();
  },
);

test("a changed key refuses, names file and line, and asks nobody", onSshd, async () => {
  await using scene = createSshScene();
  const { asker, asked } = scriptedAsker(() => "yes");
  await using first = await startSshd();
  scene.trust(first);
  await first.stop();
  await using second = await startSshd({ port: first.port });
  second.authorize(`${scene.key("id_ed25519")}.pub`);
  for (const config of ["", "StrictHostKeyChecking no\n", "StrictHostKeyChecking accept-new\n"]) {
    scene.config(config);
    const host = scene.host(`127.0.0.1:${second.port}`, { asker });
    await assert.rejects(host.connect(), (error: SshError) => {
      assert.equal(error.step, "host-key");
      assert.match(error.message, /has changed.*known_hosts:1/s);
      assert.match(error.hint ?? "", /ssh-keygen -R/);
      return true;
    });
    assert.equal(host.state.kind, "refused");
  }
  assert.deepEqual(asked, []);
});

test("a server is asked for the key type that is known of it", onSshd, async () => {
  await using server = await startSshd();
  await using scene = createSshScene();
  server.authorize(`${scene.key("id_ed25519")}.pub`);
  const rsa = readFileSync(`${server.folder}/host_rsa.pub`, "utf8");
  writeFileSync(scene.path("known_hosts"), `[127.0.0.1]:${server.port} ${rsa}`);
  const { hostKey } = await scene.host(`127.0.0.1:${server.port}`).connect();
  assert.match(hostKey, /^ssh-rsa SHA256:/);
});

test("accept-new keeps a key without asking", onSshd, async () => {
  await using server = await startSshd();
  await using scene = createSshScene();
  server.authorize(`${scene.key("id_ed25519")}.pub`);
  scene.config("StrictHostKeyChecking accept-new\nHashKnownHosts yes\n");
  await scene.host(`127.0.0.1:${server.port}`).connect();
  assert.match(scene.knownHosts(), /^\|1\|/);
  assert.match(scene.notices.join(), /Added/);
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { untilTrue } from "../support/daemon.ts";
import { controlOf, daemonScene } from "../support/daemon-scene.ts";
import { HERD, statusOf } from "../support/herd.ts";
import type { Said } from "../support/herd.ts";

/** Nobody, who owns nothing. */
const OTHER = 65534;
const skip = process.getuid?.() === 0 ? false : "only root can act as a second user";

/** Runs a command as the other user, who has a home of his own. */
function asOther(argv: readonly string[], env: Record<string, string> = {}): Promise<Said> {
  const ids = [`--reuid=${OTHER}`, `--regid=${OTHER}`, "--clear-groups"];
  return new Promise((resolve, reject) => {
    const child = spawn("setpriv", [...ids, ...argv], {
      env: { PATH: process.env["PATH"]!, HOME: "/nonexistent", ...env },
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => stdout += chunk);
    child.stderr.on("data", (chunk) => stderr += chunk);
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** The binary where everybody can start it: the checkout may be in somebody's home. */
function herdForAll(t: { after(act: () => unknown): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "herd-bin-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const path = join(folder, "herd");
  copyFileSync(HERD, path);
  chmodSync(path, 0o755);
  return path;
}

const READ = ["cat", "--"];
const CURL = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}"];

test("another user reads neither token, state, logs nor .env, and the API does not let him in", {
  skip,
}, async (t) => {
  const program = herdForAll(t);
  assert.equal((await asOther([program, "version"])).code, 0);
  const scene = daemonScene(t);
  const sweep = scene.sweep();
  // The worst case: whatever is around herd's own files is open to everybody.
  for (const folder of [sweep.path, scene.home.env["HOME"]!]) chmodSync(folder, 0o755);
  sweep.write(".env", "SECRET=of-the-owner\n");
  chmodSync(join(sweep.path, ".env"), 0o600);
  chmodSync(scene.home.env["XDG_RUNTIME_DIR"]!, 0o700);
  const begun = await scene.run("monitor", sweep.path, "--detach");
  assert.equal(begun.code, 0, begun.stderr);
  await untilTrue(
    "its trials run",
    async () =>
      (await statusOf(sweep.path, scene.home.env).catch(() => undefined))?.totals["running"] === 2,
  );
  chmodSync(scene.home.env["HOME"]!, 0o755);
  const { socket, token_file, port } = controlOf(sweep.path) as Record<string, string>;
  const state = join(sweep.path, ".hyperherd");
  const open = await asOther([...READ, join(sweep.path, "hyperherd.yaml")]);
  assert.equal(open.code, 0, "he gets as far as that, so the rest is closed by herd itself");
  for (
    const file of [
      token_file!,
      join(scene.place, "daemon.json"),
      join(scene.place, "daemon.log"),
      join(sweep.path, ".env"),
      ...["journal.jsonl", "agent_log.jsonl", "control.json", "manifest.json", "logs/0.out"]
        .map((name) => join(state, name)),
    ]
  ) {
    assert.ok(existsSync(file), file);
    const read = await asOther([...READ, file]);
    assert.notEqual(read.code, 0, `${file}: ${read.stdout}`);
    assert.match(read.stderr, /Permission denied/);
  }
  const listed = await asOther(["ls", state]);
  assert.match(listed.stderr, /Permission denied/);

  const knocked = await asOther([...CURL, "--unix-socket", socket!, "http://localhost/healthz"]);
  assert.notEqual(knocked.code, 0);
  assert.equal(knocked.stdout, "000");
  const root = `http://127.0.0.1:${port}`;
  for (const path of ["/v1/sweeps", "/v1/daemon", "/metrics", "/openapi.json"]) {
    assert.equal((await asOther([...CURL, root + path])).stdout, "401", path);
  }
  const guessed = ["-H", "Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"];
  assert.equal((await asOther([...CURL, ...guessed, `${root}/v1/sweeps`])).stdout, "401");
  const ended = await asOther([...CURL, "-X", "POST", "-d", "{}", `${root}/v1/shutdown`]);
  assert.equal(ended.stdout, "401");
  const commandLines = (await asOther(["ps", "-eo", "args"])).stdout;
  assert.ok(!commandLines.includes(readFileSync(token_file!, "utf8").trim()));

  // With herd itself, in his own home and then pretending to be in the owner's.
  const own = mkdtempSync(join(tmpdir(), "herd-other-"));
  t.after(() => rmSync(own, { recursive: true, force: true }));
  chownSync(own, OTHER, OTHER);
  chmodSync(own, 0o700);
  const mine = { HOME: own, XDG_STATE_HOME: join(own, "state"), XDG_RUNTIME_DIR: own };
  const theirs = { ...mine, XDG_STATE_HOME: scene.home.env["XDG_STATE_HOME"]! };
  for (const env of [mine, theirs]) {
    for (
      const words of [
        ["api", "sweeps"],
        ["attach", sweep.path],
        ["stop", sweep.path, "--all"],
        ["monitor", sweep.path, "--once"],
        ["monitor", sweep.path, "--stop"],
        ["clean", sweep.path, "--all", "--yes"],
      ]
    ) {
      const said = await asOther([program, ...words], env);
      assert.doesNotMatch(said.stderr, /Unexpected error/, words.join(" "));
      const quiet = words.includes("--stop");
      assert.ok(
        quiet ? /no monitor runs here/.test(said.stdout) || said.code! > 0 : said.code! > 0,
      );
    }
  }
  const status = await statusOf(sweep.path, scene.home.env);
  assert.equal(status.totals["running"], 2, "nothing of it had an effect");
  assert.equal((await scene.run("api", "/healthz")).code, 0);
});

test("a folder for the socket that another user made, or a link of his, is not used", {
  skip,
}, async (t) => {
  // As root the folder of /tmp is root's, and other tests' daemons live in it: the other user is the daemon's here.
  const temporary = `/tmp/herd-${OTHER}`;
  if (lstatSync(temporary, { throwIfNoEntry: false }) !== undefined) {
    t.skip(`${temporary} is there already`);
    return;
  }
  const program = herdForAll(t);
  const home = mkdtempSync(join(tmpdir(), "herd-owner-"));
  const bait = mkdtempSync(join(tmpdir(), "herd-bait-"));
  t.after(() => {
    for (const path of [temporary, home, bait]) rmSync(path, { recursive: true, force: true });
  });
  chownSync(home, OTHER, OTHER);
  chmodSync(home, 0o700);
  chmodSync(bait, 0o777);
  const env = { HOME: home, XDG_STATE_HOME: join(home, "state"), NO_COLOR: "1" };
  const sweep = daemonScene(t).sweep({ asks: true });
  chownSync(sweep.path, OTHER, OTHER);
  t.after(() => asOther([program, "monitor", "--stop"], env));
  const traps: Record<string, () => void> = {
    "a folder": () => mkdirSync(temporary, { mode: 0o777 }),
    "a link": () => symlinkSync(bait, temporary),
  };
  for (const [name, lay] of Object.entries(traps)) {
    rmSync(temporary, { recursive: true, force: true });
    lay();
    const begun = await asOther([program, "monitor", sweep.path, "--detach", "--no-agent"], env);
    assert.equal(begun.code, 0, name + begun.stdout + begun.stderr);
    const { socket } = controlOf(sweep.path) as Record<string, string>;
    assert.ok(socket!.startsWith(home), `${name}: ${socket}`);
    const { uid, mode } = lstatSync(socket!);
    assert.deepEqual([uid, mode & 0o077], [OTHER, 0]);
    const stopped = await asOther([program, "monitor", "--stop"], env);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.equal(existsSync(socket!), false);
  }
});

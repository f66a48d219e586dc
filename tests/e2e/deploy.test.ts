import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { postsOf, untilTrue } from "../support/daemon.ts";
import { PATIENT, sweepYaml } from "../support/daemon-scene.ts";
import {
  fewPrograms,
  openDeployScene,
  otherBuild,
  withoutMounts,
} from "../support/deploy-scene.ts";
import type { DeployScene } from "../support/deploy-scene.ts";
import { HERD, makeSweep } from "../support/herd.ts";
import { livePool } from "../support/live-pool.ts";
import { withoutSshd } from "../support/sshd.ts";

const USUAL = ".local/bin/herd";

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

interface Report {
  outcome: string;
  version: string | null;
  before: string | null;
  sent_bytes: number;
  in_path: boolean;
  daemon: { state: string; pid: number; why: string | null } | null;
  doctor: { checks: unknown[] } | null;
  ok: boolean;
}

/** Deploys to one host and gives back what is reported. */
async function deployed(scene: DeployScene, ...words: string[]): Promise<Report> {
  const said = await scene.run("deploy", scene.host, "--json", ...words);
  assert.equal(said.code, 0, said.stdout + said.stderr);
  return JSON.parse(said.stdout).hosts[0];
}

/** A program of that computer, with its home. */
function there({ thereEnv, there }: DeployScene, ...words: string[]): string {
  return execFileSync(join(there, USUAL), words, {
    env: { ...thereEnv, NO_COLOR: "1" },
    encoding: "utf8",
  });
}

/** `herd attach` there, until it ends by itself. */
function following({ there, thereEnv }: DeployScene, path: string) {
  const child = spawn(join(there, USUAL), ["attach", path], {
    env: { ...thereEnv, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let shown = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => shown += bytes);
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { ended, shown: () => shown, end: () => void child.kill("SIGKILL") };
}

/** The only file of an upload that is under way. */
function partOf({ there }: DeployScene): string | undefined {
  const folder = join(there, ".local/bin");
  if (!existsSync(folder)) return undefined;
  const name = readdirSync(folder).find((one) => one.endsWith(".part"));
  return name === undefined ? undefined : join(folder, name);
}

/** Processes of that computer whose environment began with a handover. */
function withHandover({ there }: DeployScene): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return environment.includes(`HOME=${there}`) && environment.includes("HERD_HANDOVER_");
    } catch {
      return false;
    }
  });
}

async function untilBytesCame(scene: DeployScene, least: number): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until;) {
    const part = partOf(scene);
    if (part !== undefined && (statSync(part, { throwIfNoEntry: false })?.size ?? 0) > least) {
      return;
    }
    await new Promise((next) => setTimeout(next, 2));
  }
  throw new Error(`${least} bytes never came`);
}

test("an upgrade under a daemon with live trials: it is the new version, and holds what it held", {
  skip: withoutSshd,
}, async (t) => {
  await using scene = await openDeployScene();
  const binary = join(scene.there, USUAL);
  const first = await deployed(scene);
  assert.deepEqual([first.outcome, first.in_path, first.before], ["installed", false, null]);
  assert.equal(hashOf(binary), hashOf(HERD));
  assert.ok(first.doctor!.checks.length > 3, "herd doctor was asked there");
  const again = await deployed(scene);
  assert.deepEqual([again.outcome, again.sent_bytes], ["same", 0]);

  const rollout = "monitor: {objective: none, rollout: [1, rest]}";
  const sweeps = ["one", "two"].map((name) =>
    makeSweep({
      yaml: sweepYaml({ name, trials: 2, more: "" })
        .replace("monitor: {objective: none, rollout: [rest]}", rollout)
        .replace("mem: 50M}", "mem: 50M, export: [MARK]}"),
      launcher: PATIENT.replace("#!/bin/bash", '#!/bin/bash\necho "mark=$MARK"'),
    })
  );
  t.after(() => sweeps.forEach((sweep) => sweep.remove()));
  const start = (index: number, more: Record<string, string>) =>
    there(
      { ...scene, thereEnv: { ...scene.thereEnv, ...more } },
      ...["monitor", sweeps[index]!.path, "--detach"],
    );
  start(0, { MARK: "of-one" });
  start(1, { MARK: "of-two", TOKEN_OF_TWO: "xyzzy-secret" });
  const daemon = () => JSON.parse(there(scene, "api", "daemon"));
  const { pid, commit } = daemon();
  try {
    const statuses = (path: string): string[] =>
      JSON.parse(there(scene, "status", path, "--json")).trials.map(
        (trial: { status: string; attempts: number }) => `${trial.status} ${trial.attempts}`,
      );
    await untilTrue(
      "canaries live",
      () => sweeps.every(({ path }) => statuses(path).includes("running 1")),
    );
    const follower = following(scene, sweeps[0]!.path);
    t.after(follower.end);
    await untilTrue("it is followed", () => /submitting the canary|canary/.test(follower.shown()));
    const place = join(scene.there, "state/herd", hostname());
    const token = () => readFileSync(join(place, "token"), "utf8");
    const oldToken = token();

    const folder = mkdtempSync(join(tmpdir(), "herd-build-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const other = await otherBuild(join(folder, "herd"), "bbbbbbb");
    let missing = 0;
    const watch = setInterval(() => missing += existsSync(binary) ? 0 : 1, 1);
    const left = await deployed(scene, "--binary", join(folder, "herd"), "--no-restart");
    assert.deepEqual([left.outcome, left.daemon?.state, daemon().commit], [
      "installed",
      "left",
      commit,
    ]);
    // As after a deploy that was cut before its last step.
    const upgraded = await deployed(scene, "--binary", join(folder, "herd"));
    assert.equal(upgraded.outcome, "same");
    assert.deepEqual(upgraded.daemon, { state: "restarted", pid, why: null });
    assert.match(upgraded.version!, /commit bbbbbbb/);
    assert.deepEqual(
      [daemon().pid, daemon().commit],
      [pid, other],
      "the same process, another herd",
    );
    assert.deepEqual(daemon().sweeps.sort(), ["one", "two"]);
    assert.notEqual(token(), oldToken);

    assert.deepEqual(withHandover(scene), [`${pid}`], "no child has what was handed over");

    const back = await deployed(scene, "--rollback");
    clearInterval(watch);
    assert.equal(missing, 0, "the path is never missing");
    assert.deepEqual([back.outcome, back.daemon?.state], ["rolled-back", "restarted"]);
    assert.deepEqual([daemon().pid, daemon().commit], [pid, commit]);
    assert.equal(hashOf(binary), hashOf(HERD));
    assert.equal(hashOf(`${binary}.previous`), hashOf(join(folder, "herd")));

    for (const sweep of sweeps) sweep.write("go", "");
    await untilTrue(
      "all come to their end",
      () => sweeps.every(({ path }) => statuses(path).every((one) => one === "completed 1")),
      () => sweeps.map(({ path }) => statuses(path).join()).join("; "),
      30_000,
    );
    assert.equal(await follower.ended, 0);
    // Each restart was told where it is followed, and what came after it.
    assert.match(
      follower.shown(),
      /commit bbbbbbb[^)]*\) runs here now[^]* runs here now[^]*The monitor of one has ended/,
    );
    for (const [index, name] of ["one", "two"].entries()) {
      const { path } = sweeps[index]!;
      // The rest was begun by a daemon that had only been told of that environment.
      for (const trial of ["0", "1"]) {
        assert.match(
          there(scene, "tail", path, trial),
          new RegExp(`mark=of-${name}`),
        );
      }
      const posts = postsOf(path);
      const told = posts.filter((text) => /runs here now/.test(text));
      assert.equal(told.length, 2, posts.join("\n"));
      assert.match(told[0]!, /commit bbbbbbb/);
      assert.equal(posts.slice(0, -1).filter((text) => /trials? goes? on/.test(text)).length, 0);
    }
    const kept = [scene.there, ...sweeps.map(({ path }) => path)];
    const found = execFileSync("bash", [
      ...["-c", 'grep -rlE "xyzzy-secret|HERD_HANDOVER_0=" --exclude="herd*" "$@" || true'],
      ...["bash", ...kept],
    ], { encoding: "utf8" });
    assert.equal(found, "", "what was handed over is on no disk");
  } finally {
    sweeps.forEach((sweep) => sweep.write("go", ""));
    there(scene, "monitor", "--stop");
    for (const { path } of sweeps) there(scene, "clean", path, "--all", "--yes");
  }
});

test("an upload goes on where it was cut, by itself or with the next command", {
  skip: withoutSshd,
}, async () => {
  await using scene = await openDeployScene();
  const { size } = statSync(HERD);
  const child = spawn(HERD, ["deploy", scene.host], {
    env: { ...process.env, ...scene.env },
    stdio: "ignore",
  });
  await untilBytesCame(scene, size / 8);
  process.kill(child.pid!, "SIGKILL");
  // The server writes what had come until it sees the end of the line.
  await untilTrue("the part rests", async () => {
    const before = statSync(partOf(scene)!).size;
    await new Promise((next) => setTimeout(next, 300));
    return statSync(partOf(scene)!).size === before;
  });
  const rest = size - statSync(partOf(scene)!).size;
  assert.ok(rest > 0, "it was cut");

  const running = deployed(scene);
  await untilBytesCame(scene, size - rest / 2);
  scene.ssh.server.cut();
  const { sent_bytes, outcome } = await running;
  assert.deepEqual([outcome, sent_bytes], ["installed", rest]);
  assert.equal(hashOf(join(scene.there, USUAL)), hashOf(HERD));
  assert.equal(partOf(scene), undefined);
});

test(
  "what lies there from before and is damaged goes there anew; a host that cannot hash is read back",
  {
    skip: withoutSshd,
  },
  async () => {
    const tools = mkdtempSync(join(tmpdir(), "herd-tools-"));
    const names =
      "sh bash uname getconf grep ldd sed df tail tr head cut cat chmod mv rm ln cp timeout id mkdir dd"
        .split(" ");
    await using scene = await openDeployScene({ path: fewPrograms(join(tools, "bin"), names) });
    try {
      const folder = join(scene.there, ".local/bin");
      mkdirSync(folder, { recursive: true });
      const part = join(folder, `herd.${hashOf(HERD).slice(0, 16)}.part`);
      writeFileSync(part, "not the beginning of any herd");
      truncateSync(part, statSync(HERD).size);
      const said = await scene.run("deploy", scene.host);
      assert.equal(said.code, 0, said.stderr);
      assert.match(said.stdout, /damaged: it goes there anew/);
      assert.equal(hashOf(join(folder, "herd")), hashOf(HERD));
      assert.deepEqual(readdirSync(folder), ["herd"]);
    } finally {
      rmSync(tools, { recursive: true });
    }
  },
);

test("what cannot be is said, and nothing is changed", { skip: withoutSshd }, async () => {
  const tools = mkdtempSync(join(tmpdir(), "herd-tools-"));
  const foreign = join(tools, "foreign");
  mkdirSync(foreign);
  writeFileSync(join(foreign, "uname"), "#!/bin/sh\necho FreeBSD\n", { mode: 0o755 });
  await using scene = await openDeployScene();
  await using bsd = await openDeployScene({ path: `${foreign}:${process.env["PATH"]}` });
  try {
    const { host } = scene;
    // Were it started, it would leave a trace.
    const tool = '#!/bin/sh\necho "herd 1"\ntouch "$HOME/started"\n';
    writeFileSync(join(scene.there, "tool"), tool, { mode: 0o755 });
    for (const name of ["notes", "kept.previous"]) {
      writeFileSync(join(scene.there, name), "my notes, in which is_herd knows its own stands\n");
    }
    const other = join(tools, "other");
    const elf = readFileSync(HERD).subarray(0, 4096);
    writeFileSync(other, elf);
    elf[18] = 183;
    writeFileSync(`${other}-arm`, elf);
    const cases: [string[], number, RegExp][] = [
      [["deploy"], 2, /HOST\[:PATH\]/],
      [["deploy", `${host}:`], 2, /path behind the colon is missing/],
      [["deploy", "ana@127.0.0.1:1:herd"], 4, /Cannot connect to "127.0.0.1"/],
      [["deploy", `${host}:.bashrc`], 2, /name begins with a dot/],
      [["deploy", `${host}:/proc/herd`], 2, /0 MB are free in "\/proc"/],
      [["deploy", `${host}:run`], 2, /is a folder/],
      [["deploy", `${host}:tool/herd`], 2, /"[^"]*\/tool" is no folder/],
      [["deploy", `${host}:tool`], 2, /tool" is there and is no herd/],
      [["deploy", `${host}:notes`, "-n"], 2, /notes" is there and is no herd/],
      [["deploy", `${host}:kept`], 2, /kept\.previous", .* is there and is no herd/],
      [["deploy", host, "--rollback"], 1, /there is no ".*\.previous"/],
      [["deploy", host, "--binary", join(scene.there, "tool")], 2, /no executable of Linux/],
      [["deploy", host, "--binary", `${other}-arm`], 2, /it is for aarch64/],
      [["deploy", host, "--binary", other], 2, /Cannot run herd on/],
      [["deploy", host, "--rollback", "--binary", other], 2, /Cannot tell what is wanted/],
    ];
    for (const [words, code, message] of cases) {
      const said = await scene.run(...words);
      assert.match(said.stderr, message, words.join(" "));
      assert.equal(said.code, code, said.stderr);
    }
    const dry = await deployed(scene, "--dry-run");
    assert.equal(dry.outcome, "would-install");
    const left = existsSync(join(scene.there, ".local/bin"))
      ? readdirSync(join(scene.there, ".local/bin"))
      : [];
    assert.deepEqual(left, []);
    assert.equal(readFileSync(join(scene.there, "tool"), "utf8"), tool);
    assert.match(readFileSync(join(scene.there, "notes"), "utf8"), /^my notes/);
    assert.equal(existsSync(join(scene.there, "started")), false);

    const not = await bsd.run("deploy", bsd.host);
    assert.match(not.stderr, /it runs FreeBSD, and herd is made for Linux/);
    const several = await scene.run("deploy", "no such host", host, "-n", "--json");
    const { hosts } = JSON.parse(several.stdout);
    assert.deepEqual(
      hosts.map(({ ok }: Report) => ok),
      [false, true],
      "one bad host stops no other",
    );
    assert.equal(several.code, 2);
    assert.equal(basename(hosts[1].path), "herd");
  } finally {
    rmSync(tools, { recursive: true });
  }
});

test(
  "a disk that fills, one that executes nothing and one that changes bytes: what was there stays",
  {
    skip: withoutSshd || withoutMounts(),
  },
  async () => {
    const tools = mkdtempSync(join(tmpdir(), "herd-tools-"));
    const binary = join(tools, "herd-linux");
    writeFileSync(binary, readFileSync(HERD).subarray(0, 3_000_000));
    const lying = join(tools, "lying");
    mkdirSync(lying);
    const zeros = "0".repeat(64);
    writeFileSync(join(lying, "sha256sum"), `#!/bin/sh\necho ${zeros}\n`, { mode: 0o755 });
    // It tells of room that a quota takes away.
    const roomy = join(tools, "roomy");
    mkdirSync(roomy);
    writeFileSync(join(roomy, "df"), "#!/bin/sh\necho disk 9999999 0 9999999 0% /\n", {
      mode: 0o755,
    });
    const path = process.env["PATH"];
    const cases = [
      [
        { path: `${roomy}:${path}`, mount: { at: "bin", options: "size=1m" } },
        /disk full, or a quota/,
      ],
      [{ mount: { at: "bin", options: "size=16m,noexec" } }, /nothing may be executed in/],
      [
        { path: `${lying}:${path}`, mount: { at: "bin", options: "size=16m" } },
        /not what was sent/,
      ],
    ] as const;
    try {
      for (const [options, why] of cases) {
        await using scene = await openDeployScene(options);
        const { files } = scene.ssh.here();
        const bin = join(scene.there, "bin");
        const old = new TextEncoder().encode("\x7fELF, and is_herd knows its own");
        await files.write(join(bin, "herd"), old, { mode: 0o755 });
        const said = await scene.run("deploy", `${scene.host}:bin/herd`, "--binary", binary);
        assert.deepEqual([said.code, why.test(said.stderr)], [2, true], said.stderr);
        assert.deepEqual((await files.list(bin)).map(({ name }) => name), ["herd"]);
        assert.deepEqual(await files.readBytes(join(bin, "herd")), old);
      }
    } finally {
      rmSync(tools, { recursive: true });
    }
  },
);

test("a daemon of a pool restarts in its process, and what a worker has goes on", async (t) => {
  const pool = livePool(t, {
    yaml: `pool:
  defaults: {model: echo, sandbox: none}
  backends:
    echo: {kind: command, command: [FOLDER/echo.sh], input: stdin, result: stdout}
  models: {echo: {backend: echo}}
`,
    programs: {
      "echo.sh": `#!/bin/bash
echo begun > "$(dirname "$0")/begun"
until [ -e "$(dirname "$0")/go" ]; do sleep 0.05; done
echo done
`,
    },
  });
  const daemon = await pool.daemon();
  pool.worker();
  const id = (await pool.run("task", "submit", "wait")).stdout.trim();
  await pool.until("it runs", () => existsSync(pool.path("begun")));
  const said = await pool.run("monitor", "--restart", "--json");
  assert.equal(said.code, 0, said.stderr);
  const { pid, restarted } = JSON.parse(said.stdout);
  assert.deepEqual([restarted, pid], [true, daemon.child.pid]);
  writeFileSync(pool.path("go"), "");
  await pool.until("it is done", async () => (await pool.task(id)).status !== "running");
  assert.equal((await pool.task(id)).attempts.length, 1);
});

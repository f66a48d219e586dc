import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { processStart } from "../../lib/base/pid.ts";
import { eventsOf, postsOf, startMonitor, untilTrue } from "../support/daemon.ts";
import { controlOf, daemonScene, heldIds, leaseIn } from "../support/daemon-scene.ts";
import { herd, statusOf } from "../support/herd.ts";
import { startModelServer } from "../support/model-server.ts";

const monitorLease = (path: string) => leaseIn(join(path, ".hyperherd/monitor-lease"));

const running = async (path: string, env: Record<string, string>, count: number) =>
  (await statusOf(path, env).catch(() => undefined))?.totals["running"] === count;

test("--detach comes back when the sweep is held, --ensure is silent then and starts it again after kill -9, --stop ends it", async (t) => {
  const scene = daemonScene(t);
  const { run, home } = scene;
  const { path } = scene.sweep();
  const begun = await run("monitor", path, "--detach");
  assert.equal(begun.code, 0, begun.stdout + begun.stderr);
  const first = scene.pid()!;
  assert.match(begun.stdout, new RegExp(`\\(pid ${first}\\)`));
  const record = JSON.parse(readFileSync(join(scene.place, "daemon.json"), "utf8"));
  const { id, host, pid, port, socket, token_file } = controlOf(path)!;
  assert.deepEqual(
    { id, host, pid, port, socket, token_file },
    {
      id: "one",
      host: record.host,
      pid: first,
      port: record.port,
      socket: record.socketPath,
      token_file: record.tokenPath,
    },
  );
  await untilTrue("its trials run", () => running(path, home.env, 2));
  assert.ok(existsSync(join(path, ".hyperherd/manifest.json")), "the manifest is made on the spot");

  const again = await run("monitor", path, "--ensure");
  assert.deepEqual(again, { code: 0, signal: null, stdout: "", stderr: "" });
  assert.equal(scene.pid(), first);
  const seen = await run("attach", path, "--no-follow");
  assert.equal(seen.code, 0, seen.stderr);
  assert.match(seen.stdout, /monitoring one: 2 trials/);

  process.kill(first, "SIGKILL");
  await untilTrue("it is gone", () => processStart(first) === undefined);
  assert.notEqual(monitorLease(path)?.["released"], true);
  const attached = await run("attach", path, "--no-follow");
  assert.equal(attached.code, 3, attached.stdout + attached.stderr);
  const ensured = await run("monitor", path, "--ensure");
  assert.equal(ensured.code, 0, ensured.stdout + ensured.stderr);
  const second = scene.pid()!;
  assert.notEqual(second, first);
  assert.equal(controlOf(path)?.["pid"], second);

  const stopped = await run("monitor", "--stop");
  assert.deepEqual([stopped.code, stopped.stderr], [0, ""]);
  assert.match(stopped.stdout, /The monitor of one has ended; trials go on/);
  assert.equal(processStart(second), undefined, "--stop waits until it is gone");
  assert.equal(controlOf(path), undefined);
  assert.equal(monitorLease(path)?.["released"], true);
  assert.ok(await running(path, home.env, 2), "trials go on without it");
  const nothing = await run("monitor", "--stop");
  assert.deepEqual([nothing.code, nothing.stdout], [0, "Nothing to stop: no monitor runs here\n"]);
});

test("a second monitor hands its sweep to the running one, follows it, and leaves it there", async (t) => {
  const scene = daemonScene(t);
  const { run, home } = scene;
  const one = scene.sweep();
  const other = scene.sweep({ name: "other" });
  const daemon = startMonitor([one.path], home.env);
  t.after(() => daemon.ended);
  await untilTrue("the first is held", () => controlOf(one.path) !== undefined, daemon.output);
  const second = startMonitor([other.path], home.env);
  await untilTrue(
    "posts are followed",
    () => /2 trials running/.test(second.output()),
    second.output,
  );
  assert.match(second.output(), /other: handed to the monitor that runs here/);
  second.kill("SIGINT");
  assert.equal((await second.ended).code, 130, second.output());
  assert.deepEqual(await heldIds(scene), ["one", "other"]);
  assert.equal(controlOf(other.path)?.["pid"], daemon.child.pid);

  const wrong = await run("monitor", scene.sweep({ name: "third" }).path, "--stop");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /does not hold this sweep/);
  const stopped = await run("monitor", other.path, "--stop");
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.deepEqual(await heldIds(scene), ["one"]);
  assert.equal(monitorLease(other.path)?.["released"], true);

  daemon.kill("SIGTERM");
  const { code, output } = await daemon.ended;
  assert.equal(code, 143, output);
  assert.match(output, /🛑 monitor stopped: it was told to stop/);
});

test("of two that start at the same moment one is the daemon and holds both sweeps", async (t) => {
  const scene = daemonScene(t);
  const { run } = scene;
  const one = scene.sweep();
  const other = scene.sweep({ name: "other" });
  for (let round = 0; round < 3; round++) {
    const both = await Promise.all([
      run("monitor", one.path, "--detach"),
      run("monitor", other.path, "--detach"),
    ]);
    for (const said of both) {
      assert.equal(said.code, 0, said.stdout + said.stderr);
      assert.match(said.stdout, new RegExp(`\\(pid ${scene.pid()}\\)`));
    }
    assert.deepEqual(await heldIds(scene), ["one", "other"]);
    assert.equal(controlOf(one.path)?.["pid"], controlOf(other.path)?.["pid"]);
    const stopped = await run("monitor", "--stop", "--json");
    assert.deepEqual(JSON.parse(stopped.stdout).stopped.sort(), ["one", "other"]);
  }
});

test("the first signal ends it with its last words, 130 for Ctrl-C and 143 for SIGTERM; a hangup that nohup ignores does not", async (t) => {
  const scene = daemonScene(t);
  const { home } = scene;
  const { path } = scene.sweep();
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    const before = postsOf(path).length;
    const monitor = startMonitor([path], home.env);
    await untilTrue("it has begun", () => postsOf(path).length > before, monitor.output);
    monitor.kill(signal);
    const ended = await monitor.ended;
    assert.deepEqual([ended.code, ended.signal], [code, null], ended.output);
    assert.match(ended.output, /🛑 monitor stopped: it was told to stop/);
    assert.equal(eventsOf(path).at(-1)?.what.type, "monitor-stopped");
    assert.equal(monitorLease(path)?.["released"], true);
  }
  const before = postsOf(path).length;
  const ignoring = startMonitor([path], home.env, ["nohup"]);
  await untilTrue("it has begun", () => postsOf(path).length > before, ignoring.output);
  process.kill(scene.pid()!, "SIGHUP");
  const pinged = await scene.run("api", "/healthz");
  assert.equal(pinged.code, 0, pinged.stderr);
  process.kill(scene.pid()!, "SIGTERM");
  assert.equal((await ignoring.ended).code, 143, ignoring.output());
});

test("a second signal ends it at once, in the middle of its step", async (t) => {
  const scene = daemonScene(t);
  const { home } = scene;
  const sweep = scene.sweep();
  const bin = join(sweep.path, "bin");
  mkdirSync(bin);
  writeFileSync(
    join(bin, "sbatch"),
    `#!/bin/bash\ncd ${sweep.path}\ntouch asked\nuntil [ -e go ]; do sleep 0.1; done\n`,
  );
  for (const name of ["squeue", "sacct", "scancel", "scontrol", "sinfo"]) {
    writeFileSync(join(bin, name), "#!/bin/bash\nexit 0\n");
  }
  for (const name of readdirSync(bin)) chmodSync(join(bin, name), 0o755);
  sweep.write(
    "hyperherd.yaml",
    sweep.read("hyperherd.yaml").replace("scheduler: local", "scheduler: slurm"),
  );
  const monitor = startMonitor([sweep.path], {
    ...home.env,
    PATH: `${bin}:${home.env["PATH"]}`,
  });
  await untilTrue("sbatch is asked", () => existsSync(join(sweep.path, "asked")), monitor.output);
  monitor.kill("SIGTERM");
  const hand = JSON.stringify({ path: sweep.path, env: {} });
  await untilTrue("the first one ends it after its step", async () => {
    const said = await scene.run("api", "sweeps", "-d", hand);
    return said.code === 3 && /the daemon is ending/.test(said.stdout);
  }, monitor.output);
  monitor.kill("SIGTERM");
  const ended = await monitor.ended;
  assert.equal(ended.signal, "SIGTERM", ended.output);
  assert.equal(scene.pid(), monitor.child.pid, "it had no time to clear away what told of it");
  const next = await scene.run("monitor", scene.sweep({ asks: true }).path, "--detach");
  assert.equal(next.code, 0, next.stderr);
  assert.notEqual(scene.pid(), monitor.child.pid);
});

test("--once makes one tick and --max-ticks so many, and both leave nothing behind", async (t) => {
  const scene = daemonScene(t);
  const { run, home } = scene;
  const { path } = scene.sweep();
  const once = await run("monitor", path, "--once");
  assert.equal(once.code, 0, once.stdout + once.stderr);
  const ticks = () => eventsOf(path).filter(({ what }) => what.type === "ticked").length;
  assert.equal(ticks(), 1);
  assert.equal(scene.pid(), undefined);
  assert.equal(controlOf(path), undefined);
  assert.equal(monitorLease(path)?.["released"], true);
  await untilTrue("its trials run", () => running(path, home.env, 2));
  const one = await run("monitor", path, "--max-ticks", "1");
  assert.equal(one.code, 0, one.stdout + one.stderr);
  assert.match(one.stdout, /🛑 monitor stopped: 1 ticks? w(as|ere) asked for/);
  assert.equal(ticks(), 2);
});

test("-p asks and ends without a daemon, and goes to the daemon where one runs", async (t) => {
  const model = await startModelServer([{ reply: { text: "It is well." }, times: Infinity }]);
  t.after(() => model.close());
  const scene = daemonScene(t, {
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: "sk-ant-shell",
  });
  const { run } = scene;
  const { path } = scene.sweep();
  const alone = await run("monitor", path, "-p", "why is trial 0 slow?");
  assert.equal(alone.code, 0, alone.stdout + alone.stderr);
  assert.match(alone.stdout, /It is well\./);
  assert.ok(model.requests().some(({ text }) => text.includes("why is trial 0 slow?")));
  assert.equal(scene.pid(), undefined);

  const begun = await run("monitor", path, "--detach");
  assert.equal(begun.code, 0, begun.stderr);
  const before = model.requests().length;
  const asked = await run("monitor", path, "-p", "why is trial 1 slow?");
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, /It is well\./);
  assert.equal(asked.stdout.trim().split("\n").length, 1, asked.stdout);
  assert.ok(
    model.requests().slice(before).some(({ text }) => text.includes("why is trial 1 slow?")),
  );
  const told = await run("monitor", path, "-p", "status", "--json");
  assert.match(JSON.parse(told.stdout).answers[0], /2 running/);
  const other = scene.sweep({ name: "other" });
  const alone2 = await run("monitor", other.path, "-p", "why is trial 0 slow?");
  assert.equal(alone2.code, 0, alone2.stderr);
  assert.deepEqual(await heldIds(scene), ["one"], "one question makes no daemon's sweep of it");
  assert.equal(scene.pid(), JSON.parse((await run("api", "daemon")).stdout).pid);
});

test("--dry-run prints state, decisions and prompt, and writes nothing at all", async (t) => {
  const model = await startModelServer([]);
  t.after(() => model.close());
  const scene = daemonScene(t, { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "sk-ant-x" });
  const { run, home } = scene;
  const sweep = scene.sweep();
  const fresh = hashOf(sweep.path);
  const said = await run("monitor", sweep.path, "--dry-run");
  assert.equal(said.code, 0, said.stdout + said.stderr);
  assert.match(said.stdout, /one in .*\n[^]*Trials: .*2 ready/);
  assert.match(said.stdout, /What it would do\n {2}- .+/);
  assert.match(said.stdout, /What the agent would be told\n.+/);
  assert.equal(existsSync(join(sweep.path, ".hyperherd")), false);
  assert.equal(hashOf(sweep.path), fresh);
  const document = JSON.parse((await run("monitor", sweep.path, "-n", "--json")).stdout);
  assert.ok(document.prompt.length > 0 && document.decisions.length > 0);

  await run("monitor", sweep.path, "--once", "--no-agent");
  await untilTrue("its trials run", () => running(sweep.path, home.env, 2));
  for (const trial of [0, 1]) {
    const log = () => sweep.read(`.hyperherd/logs/${trial}.out`);
    await untilTrue("it has said all", () => log().includes("epoch 1"));
  }
  const before = hashOf(sweep.path);
  const later = await run("monitor", sweep.path, "--dry-run");
  assert.equal(later.code, 0, later.stderr);
  assert.match(later.stdout, /Trials: .*2 running/);
  assert.equal(hashOf(sweep.path), before);
  assert.equal(existsSync(join(scene.place, "daemon.json")), false);
  assert.equal(model.requests().length, 0, "no model is called, neither here nor with --no-agent");
});

test("broken YAML, a missing workspace and a missing launcher are told, and nothing is made", async (t) => {
  const scene = daemonScene(t);
  const { run } = scene;
  const broken = scene.sweep();
  broken.write("hyperherd.yaml", `${broken.read("hyperherd.yaml")}\nlauncherr: x\n`);
  const bare = scene.sweep();
  bare.write("hyperherd.yaml", bare.read("hyperherd.yaml").replace("./launch.sh", "./lunch.sh"));
  const cases: [string, RegExp][] = [
    [broken.path, /"?launcherr"?/],
    [bare.path, /lunch\.sh/],
    [join(broken.path, "nowhere"), /nowhere/],
  ];
  for (const [path, told] of cases) {
    const before = existsSync(path) ? hashOf(path) : undefined;
    for (const flags of [[], ["--detach"], ["--ensure"], ["--once"], ["--dry-run"]]) {
      const said = await run("monitor", path, ...flags);
      assert.equal(said.code, 2, `${flags} ${said.stdout}${said.stderr}`);
      assert.match(said.stderr, told);
      assert.equal(existsSync(path) ? hashOf(path) : undefined, before, `${flags}`);
    }
  }
  assert.equal(existsSync(join(scene.place, "daemon.json")), false);

  const good = scene.sweep();
  const begun = await run("monitor", good.path, "--detach");
  assert.equal(begun.code, 0, begun.stderr);
  for (const [path, told] of cases) {
    const before = existsSync(path) ? hashOf(path) : undefined;
    const said = await run("api", "sweeps", "-d", JSON.stringify({ path, env: {} }));
    assert.equal(said.code, 2, said.stdout);
    assert.match(said.stdout, told);
    assert.equal(existsSync(path) ? hashOf(path) : undefined, before);
  }
  assert.deepEqual(await heldIds(scene), ["one"]);
});

test(".env is read, the shell wins, and who leaves it open is warned", async (t) => {
  const model = await startModelServer([{ reply: { text: "Yes." }, times: Infinity }]);
  t.after(() => model.close());
  const scene = daemonScene(t, { ANTHROPIC_BASE_URL: model.url });
  const { home } = scene;
  const sweep = scene.sweep();
  sweep.write(".env", "ANTHROPIC_API_KEY=sk-ant-from-file\n");
  chmodSync(join(sweep.path, ".env"), 0o600);
  const closed = await herd(["monitor", sweep.path, "-p", "one?"], { env: home.env });
  assert.equal(closed.code, 0, closed.stdout + closed.stderr);
  assert.doesNotMatch(closed.stderr, /Other users can read/);
  assert.equal(model.requests().at(-1)?.headers["x-api-key"], "sk-ant-from-file");
  chmodSync(join(sweep.path, ".env"), 0o644);
  const env = { ...home.env, ANTHROPIC_API_KEY: "sk-ant-from-shell" };
  const open = await herd(["monitor", sweep.path, "-p", "two?"], { env });
  assert.match(open.stderr, /Other users can read the secrets in ".*\.env" \(mode 0644\)/);
  assert.equal(model.requests().at(-1)?.headers["x-api-key"], "sk-ant-from-shell");
  const written = closed.stdout + closed.stderr + open.stdout + open.stderr +
    sweep.read(".hyperherd/journal.jsonl") + sweep.read(".hyperherd/agent_log.jsonl");
  assert.doesNotMatch(written, /sk-ant-from/);
});

test("a sweep that a living daemon elsewhere monitors is refused with who and since when", async (t) => {
  const scene = daemonScene(t);
  const { run } = scene;
  const { path } = scene.sweep();
  const folder = join(path, ".hyperherd/monitor-lease");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let beat = 0;
  const write = () => {
    const holder = {
      host: "login9",
      pid: 4711,
      boot: "b",
      start: "1",
      space: "",
      purpose: "monitor",
      at: Date.UTC(2026, 0, 2, 3, 4, 5),
      nonce: "theirs",
      beat: beat++,
    };
    writeFileSync(join(folder, "beat"), JSON.stringify(holder));
    renameSync(join(folder, "beat"), join(folder, "lease.7"));
  };
  write();
  const timer = setInterval(write, 500);
  const who = /is monitored by "monitor" \(process 4711 on login9, since 2026-01-02T03:04:05Z\)/;
  try {
    const here = await run("monitor", path);
    assert.equal(here.code, 3, here.stdout + here.stderr);
    assert.match(here.stderr, who);
    const detached = await run("monitor", path, "--detach");
    assert.equal(detached.code, 3, detached.stdout + detached.stderr);
    assert.match(detached.stderr, who);
    const deleted = await run("clean", path, "--all", "--yes");
    assert.equal(deleted.code, 3, deleted.stdout + deleted.stderr);
    assert.match(deleted.stderr, who);
  } finally {
    clearInterval(timer);
  }
  assert.equal(leaseIn(folder)?.["host"], "login9");
  assert.equal(existsSync(join(path, ".hyperherd/journal.jsonl")), false);
  assert.equal(scene.pid(), undefined);
  writeFileSync(join(folder, "lease.7"), JSON.stringify({ ...leaseIn(folder), released: true }));
});

/** Of every name, mode, time and content below a folder. */
function hashOf(folder: string): string {
  const hash = createHash("sha256");
  const add = (path: string) => {
    const { mode, mtimeMs } = statSync(path);
    hash.update(`${path} ${mode} ${mtimeMs}\n`);
    // The supervisor of running trials writes into its own folder all the time.
    if (path.endsWith(".hyperherd/local")) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) add(join(path, name));
    } else hash.update(readFileSync(path));
  };
  add(folder);
  return hash.digest("hex");
}

test("a row added to the list of trials becomes a trial while it runs, and a broken list is told and mended", async (t) => {
  const scene = daemonScene(t);
  const sweep = scene.sweep();
  sweep.write(
    "hyperherd.yaml",
    `name: listed
launcher: ./launch.sh
scheduler: local
local: {slots: 2}
trials: trials.csv
slurm: {partition: none, time: 5, mem: 50M}
remediation: {mode: notify}
monitor: {objective: none, rollout: [rest]}
`,
  );
  sweep.write("trials.csv", "x\n1\n2\n");
  const monitor = startMonitor([sweep.path], scene.home.env);
  const total = async () =>
    (await statusOf(sweep.path, scene.home.env).catch(() => undefined))?.totals["running"] ?? 0;
  await untilTrue("both run", async () => await total() === 2, monitor.output);
  sweep.write("trials.csv", "x,y\n1\n");
  await untilTrue(
    "the mistake is told",
    () => postsOf(sweep.path).some((post) => /trials\.csv/.test(post)),
    monitor.output,
  );
  sweep.write("trials.csv", "x\n1\n2\n3\n");
  await untilTrue(
    "the third is a trial",
    () => eventsOf(sweep.path).some(({ what }) => JSON.stringify(what).includes('"x":3')),
    monitor.output,
  );
  sweep.write("go", "");
  assert.equal((await monitor.ended).code, 0, monitor.output());
  assert.deepEqual((await statusOf(sweep.path, scene.home.env)).totals, { total: 3, completed: 3 });
});

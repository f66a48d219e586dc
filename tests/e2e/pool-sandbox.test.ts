import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { livePool } from "../support/live-pool.ts";
import type { LivePool } from "../support/live-pool.ts";
import { startModelServer } from "../support/model-server.ts";
import type { ModelServer } from "../support/model-server.ts";

const PROBE = fileURLToPath(new URL("./sandbox-probe.py", import.meta.url));
const MARK = "herd-test-secret-4711";
const RUN_SOCKET = `/run/herd-probe-${process.pid}.sock`;
const isRoot = process.getuid?.() === 0;

const PROGRAMS = {
  "probe.py": readFileSync(PROBE, "utf8"),
  "odd.sh": `#!/bin/bash
case "$(cat)" in
  *symlink*) ln -s "$HOME_OF_TEST/.ssh/id_test" RESULT.txt ;;
  *fifo*) mkfifo RESULT.txt ;;
  *directory*) mkdir RESULT.txt ;;
  *crowd*) python3 -c 'import os
os.mkdir("many")
for i in range(60000): os.close(os.open("many/%d" % i, os.O_CREAT))'
    truncate -s 1T huge.bin; mkdir "$(printf 'line\\nbreak')"; echo fine > RESULT.txt ;;
esac
`,
  // Stands before the real one, so that the worker is left with Landlock.
  "no-bwrap/bwrap": "#!/bin/sh\necho 'not wanted here' >&2\nexit 1\n",
};

function yaml(network: boolean, model?: ModelServer): string {
  return `pool:
  defaults: {model: probe, sandbox: workspace, network: ${network}}
  limits: {attempts: 1}
  backends:
    probe: {kind: command, command: [/usr/bin/python3, FOLDER/probe.py], input: stdin,
      result: stdout, reads: [FOLDER/probe.py]}
    odd: {kind: command, command: [FOLDER/odd.sh], input: stdin, result: file,
      reads: [FOLDER/odd.sh]}
${
    model === undefined
      ? ""
      : `    claude: {kind: anthropic, base_url: "${model.url}", api_key_env: ANTHROPIC_API_KEY}`
  }
  models:
    probe: {backend: probe}
    odd: {backend: odd}
${model === undefined ? "" : "    claude: {backend: claude, model: claude-sonnet-5-5}"}
`;
}

interface Scene {
  pool: LivePool;
  /** What the probe did, by way, level. */
  probe(way: string, level: string, burst?: boolean): Promise<string[]>;
}

async function sceneOf(
  t: { after(act: () => unknown): void },
  network: boolean,
  model?: ModelServer,
): Promise<Scene> {
  mkdirSync("/run", { recursive: true });
  const pool = livePool(t, {
    yaml: yaml(network, model),
    env: { ANTHROPIC_API_KEY: MARK, HERD_PROBE_SECRET: MARK },
  });
  for (const [name, text] of Object.entries(PROGRAMS)) {
    mkdirSync(dirname(pool.path(name)), { recursive: true });
    writeFileSync(pool.path(name), text.replaceAll("$HOME_OF_TEST", pool.path()), { mode: 0o755 });
  }
  mkdirSync(pool.path(".ssh"));
  writeFileSync(pool.path(".ssh/id_test"), "a key", { mode: 0o600 });
  await pool.daemon();
  const pids: Record<string, number> = { bwrap: pool.worker("--name", "bwrap").child.pid! };
  const path = pool.home.env["PATH"];
  pool.home.env["PATH"] = `${pool.path("no-bwrap")}:${path}`;
  pids["landlock"] = pool.worker("--name", "landlock").child.pid!;
  pool.home.env["PATH"] = path!;
  const herd = join(pool.home.env["XDG_STATE_HOME"]!, "herd");
  const host = join(herd, readdirSync(herd).find((name) => existsSync(join(herd, name, "pool")))!);
  const { socketPath } = JSON.parse(readFileSync(join(host, "daemon.json"), "utf8"));
  const servers = [createServer(), createServer(), createServer()] as const;
  const abstract = `herd-probe-${randomUUID()}`;
  await listen(servers[0], { port: 0, host: "127.0.0.1" });
  await listen(servers[1], { path: `\0${abstract}` });
  await listen(servers[2], { path: RUN_SOCKET });
  for (const server of servers) {
    server.on("connection", (one) => one.destroy());
    t.after(() => new Promise((done) => server.close(done)));
  }

  async function probe(way: string, level: string, burst = false): Promise<string[]> {
    const own = join(host, "workers", way);
    await pool.until("it is enrolled", () => existsSync(join(own, "identity.json")));
    const other = join(own, "tasks", "t-other", "1", "private.txt");
    mkdirSync(dirname(other), { recursive: true });
    writeFileSync(other, "of another task");
    const facts = {
      ...{
        home: pool.path(),
        mark: MARK,
        worker: pids[way],
        other,
        burst,
        confined: level !== "none",
      },
      secrets: [
        pool.path(".ssh/id_test"),
        ...["identity.json", "attempts.jsonl"].map((name) => join(own, name)),
        join(host, "pool/journal.jsonl"),
      ],
      ...{ socket: socketPath, run: RUN_SOCKET, abstract, daemon: `herd-probe-${process.pid}` },
      tcp: (servers[0].address() as AddressInfo).port,
    };
    const said = await pool.run(
      ...["task", "submit", "--wait", "--json", "--worker", way, "--sandbox", level],
      ...["--", JSON.stringify(facts)],
    );
    const task = JSON.parse(said.stdout);
    assert.equal(said.code, 0, `${way} ${level}: ${task.why} ${said.stderr}`);
    // bubblewrap's own /tmp has a folder of that name, too: what counts is the real one.
    const really = existsSync(pool.path("written"));
    const won: string[] = JSON.parse(task.result);
    return won.filter((name) => name !== "write to the home" || really);
  }
  return { pool, probe };
}

function listen(server: Server, where: object): Promise<void> {
  return new Promise((done, fail) => {
    server.on("error", fail);
    server.listen(where, done);
  });
}

function runningAs(word: string): number {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").startsWith(word);
    } catch {
      return false;
    }
  }).length;
}

const skip = isRoot ? false : "needs root, to lay a socket below /run";

for (const network of [false, true]) {
  test(`no agent gets out of its sandbox, connections ${network ? "allowed" : "cut off"}`, {
    skip,
  }, async (t) => {
    const { pool, probe } = await sceneOf(t, network);
    for (const way of ["bwrap", "landlock"]) {
      for (const level of ["workspace", "read-only"]) {
        const allowed = [
          ...(network ? ["tcp"] : []),
          ...(level === "workspace" ? ["write inside"] : []),
        ];
        // With Landlock the log lies in the folder like every file of it; the worker has its own hold on it.
        const tolerated = way === "landlock" && level === "workspace"
          ? ["keep a log of its own"]
          : [];
        const won = await probe(way, level, level === "workspace");
        const out = won.filter((name) => !tolerated.includes(name));
        assert.deepEqual(out, allowed, `${way} ${level}`);
        await pool.until(
          "nothing of it is left",
          () => runningAs(`herd-probe-${process.pid}`) === 0,
          5_000,
        );
      }
    }
    if (network) return;
    // The plain statement of the level is true: it is everything that the account can.
    const won = await probe("bwrap", "none");
    for (const name of ["read id_test", "write to the home", "signal the worker", "tcp"]) {
      assert.ok(won.includes(name), `${name}: ${won}`);
    }
    const check = await pool.run("pool", "check");
    assert.match(check.stdout + check.stderr, /confined by bubblewrap/);
  });
}

test("odd results are no results, and a crowd of files and a file of 1 TB are bounded", {
  skip,
}, async (t) => {
  const { pool } = await sceneOf(t, false);
  for (const kind of ["symlink", "fifo", "directory"]) {
    const said = await pool.run("task", "submit", kind, "--model", "odd", "--wait", "--json");
    const task = JSON.parse(said.stdout);
    assert.equal(task.status, "failed", JSON.stringify(task));
    assert.match(task.why, /RESULT\.txt/);
    assert.ok(!JSON.stringify(task).includes("a key"), "nothing is read through it");
  }
  const said = await pool.run("task", "submit", "crowd", "--model", "odd", "--wait", "--json");
  const task = JSON.parse(said.stdout);
  assert.deepEqual([task.status, task.result.trim()], ["succeeded", "fine"], task.why);
  const [{ folder, files }] = task.attempts;
  assert.ok(files.length <= 200, `${files.length}`);
  assert.equal(lstatSync(join(folder, "huge.bin")).size, 1024 ** 4);
  assert.ok(!files.some(({ path }: { path: string }) => path === "huge.bin"));
});

test("the tools of an agent of the Messages API stay within the folder, by links as well", {
  skip,
}, async (t) => {
  let step = 0;
  const secret = "SECRET-PATH";
  const calls = (home: string) => [
    { name: "read_file", input: { path: "../../../identity.json" } },
    { name: "read_file", input: { path: `${home}/.ssh/id_test` } },
    { name: "shell", input: { command: `ln -s ${home} door; cat door/.ssh/id_test; env` } },
    { name: "read_file", input: { path: "door/.ssh/id_test" } },
    { name: "write_file", input: { path: "door/written", content: "x" } },
    { name: "list_files", input: { path: "door" } },
    { name: "search", input: { pattern: "key", path: "door/.ssh" } },
  ];
  const holder: { home: string } = { home: secret };
  const model = await startModelServer([{
    times: Infinity,
    reply: () => {
      const call = calls(holder.home)[step++];
      return call === undefined ? { text: "I could not." } : { calls: [call] };
    },
  }]);
  t.after(() => model.close());
  const { pool } = await sceneOf(t, false, model);
  holder.home = pool.path();
  const said = await pool.run("task", "submit", "try", "--model", "claude", "--wait", "--json");
  assert.equal(said.code, 0, said.stdout + said.stderr);
  const results = model.requests().flatMap((one) => one.results);
  assert.equal(results.length, calls("").length);
  const told = JSON.stringify(results);
  assert.doesNotMatch(told, /a key/);
  assert.ok(!told.includes(MARK), "the model's key is not in the environment of a program");
  for (const [i, { isError }] of results.entries()) {
    if (i !== 2) assert.ok(isError, `${i}: ${results[i]!.text}`);
  }
  assert.equal(existsSync(pool.path("written")), false);
});

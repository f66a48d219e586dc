import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { auditOf, eventsOf, untilTrue } from "../support/daemon.ts";
import { controlOf, daemonScene, sweepYaml } from "../support/daemon-scene.ts";
import type { DaemonScene, Sweep } from "../support/daemon-scene.ts";
import { HERD, herd, statusOf } from "../support/herd.ts";
import type { Said } from "../support/herd.ts";

/** Runs its first lines, then waits for a file of its own. */
const LAUNCHER = `#!/bin/bash
echo "epoch 1 loss=0.5"
until [ -e go ] || [ -e "go-$HYPERHERD_TRIAL_ID" ]; do sleep 0.05; done
`;

const HALVING = ["--metric", "loss", "--direction", "min", "--min-steps", "1", "--budget", "10"];

/** A sweep of a scene, with what a command said of it made comparable. */
function side(scene: DaemonScene, sweep: Sweep) {
  const { env } = scene.home;
  return {
    sweep,
    async run(...words: string[]): Promise<Said> {
      const said = await herd(words, { cwd: sweep.path, env });
      return { ...said, stdout: plain(said.stdout), stderr: plain(said.stderr) };
    },
    until: (what: string, holds: (statuses: string[]) => boolean) =>
      untilTrue(what, async () => {
        const { trials } = await statusOf(sweep.path, env);
        return holds(trials.map(({ status }) => status));
      }),
  };

  function plain(text: string): string {
    return text.replaceAll(sweep.path, "SWEEP")
      // What holds the monitor up is told where there is one.
      .replaceAll(/^Note: The monitor (is halted|asks).*\n/gm, "")
      .replaceAll(/submissions\/\w+/g, "submissions/ID")
      .replaceAll(/"submission": "\w+"/g, '"submission": "ID"')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d(\.\d+)?(Z|\+0000)/g, "TIME")
      .replaceAll(/"elapsed(_seconds)?": ("?[\d:.]+"?|null)/g, '"elapsed": T')
      .replaceAll(/"time_efficiency": [\d.]+/g, '"time_efficiency": T')
      .replaceAll(/\b\d:\d\d\b/g, "M:SS")
      .replaceAll(/done after [\d.]+ s/g, "done after T")
      // The two looks are not at the same second of what runs, nor of what has just been submitted.
      .replaceAll(/"status": "(submitted|queued)"/g, '"status": "submitted"')
      .replaceAll(/"advice": \[[^\]]*\]/g, '"advice": A')
      .replaceAll(/\d+ files?, [\d.]+K?/g, "FILES")
      .replaceAll(/"(deleted_)?(files|bytes)": \d+/g, '"$2": N');
  }
}

test("every command that changes something says the same through a daemon as without one", async (t) => {
  const alone = daemonScene(t);
  const held = daemonScene(t);
  const shape = { trials: 6, slots: 1, launcher: LAUNCHER, asks: true };
  const sides = [side(alone, alone.sweep(shape)), side(held, held.sweep(shape))] as const;
  const [, through] = sides;
  const begun = await held.run("monitor", through.sweep.path, "--detach", "--no-agent");
  assert.equal(begun.code, 0, begun.stderr);
  // So that the trials are moved by the test alone.
  const halted = await held.run("api", "sweeps/one/actions/halt", "-d", '{"reason": "a test"}');
  assert.equal(halted.code, 0, halted.stdout + halted.stderr);

  const both = async (words: string[], code: number, told?: RegExp) => {
    const [a, b] = await Promise.all(sides.map(({ run }) => run(...words)));
    assert.deepEqual(b, a, `herd ${words.join(" ")}`);
    assert.equal(a!.code, code, `herd ${words.join(" ")}: ${a!.stdout}${a!.stderr}`);
    if (told !== undefined) assert.match(a!.stdout + a!.stderr, told);
  };
  const until = (what: string, holds: (statuses: string[]) => boolean) =>
    Promise.all(sides.map((one) => one.until(what, holds)));

  for (const { sweep } of sides) sweep.write("go-5", "");
  await both(["test", "5"], 0, /epoch 1/);
  await both(["run", "-i", "0"], 0, /Submitted 1 trial \(0\)/);
  await until("trial 0 runs", ([one]) => one === "running");
  await both(["run", "-i", "0"], 3, /Hint: --skip/);
  await both(["run", "-i", "0", "--json"], 3, /"refused": "busy"/);
  await both(["run", "-i", "0", "--skip"], 1);
  await both(["run", "-i", "77"], 2, /77/);
  await both(["run", "--pin", "y=1"], 2);
  await both(["run", "-i", "1-4", "--json"], 0);
  await until("the others wait", (all) => all.slice(1, 5).every((one) => one === "queued"));
  await both(["status"], 0, /1 running/);
  await both(["ls"], 0);
  await both(["stats", "--json"], 0);
  await both(["res", "--json"], 0);
  await both(["snapshot"], 0);
  await both(["tail", "0"], 0, /epoch 1/);
  await both(["pause", "3"], 0);
  await both(["prune", "2", "--reason", "dull", "--json"], 0);
  await both(["prune", "99"], 2, /Hint/);
  await both(["stop", "1"], 0);
  await both(["stop", "1"], 3, /Hint: Only submitted/);
  await until("they left the queue", (all) => all[3] === "paused" && all[2] === "pruned");
  await both(["resume", "3", "--json"], 0);
  await both(["resume", "1"], 3, /Hint/);
  await both(["sh"], 2, /Hint/);
  await both(["sh", ...HALVING, "--json"], 0);
  await both(["test", "0"], 3, /Hint/);
  await both(["run", "-i", "0", "--force", "--json"], 0);
  await both(["stop", "--all"], 0);
  await until("nothing is live", (all) => all.every((one) => !/running|queued|sub/.test(one)));
  await both(["run", "-i", "5", "--wait"], 0, /completed/);
  await both(["run", "-i", "5"], 3);
  await both(["clean", "--logs", "--yes"], 0);
  await both(["clean", "--json", "--yes"], 0);

  const acted = (path: string) =>
    eventsOf(path).filter(({ what }) =>
      ["intent-set", "submission-intended", "submission-accepted"].includes(what.type)
    );
  const [a, b] = sides.map(({ sweep }) => acted(sweep.path));
  const types = (events: typeof a) => events!.map(({ what }) => what.type);
  assert.deepEqual(types(b), types(a));
  for (const { by } of b!) assert.match(by, /^cli:/);
  const audit = auditOf(through.sweep.path).filter(({ by }) => `${by}`.startsWith("cli:"));
  const written = new Set(audit.map(({ event }) => event));
  for (const verb of ["run", "stop", "pause", "prune", "resume", "halve"]) {
    assert.ok(written.has(verb), `${verb} is in the audit log`);
  }
  assert.ok(audit.some(({ refused }) => refused !== undefined), "refusals are in it too");
  assert.ok(audit.some(({ event, why }) => event === "prune" && why === "dull"));

  const [gone, ended] = await Promise.all(sides.map(({ run }) => run("clean", "--all", "--yes")));
  assert.deepEqual([gone!.code, ended!.code, ended!.stdout], [0, 0, gone!.stdout]);
  assert.match(ended!.stderr, /The monitor of one was ended first/);
  assert.equal(existsSync(join(through.sweep.path, ".hyperherd")), false, "and stays gone");
  assert.equal(held.pid(), undefined, "a daemon without sweeps ends");
});

test("what the scheduler refuses comes through the daemon with its own words and exit code", async (t) => {
  const bin = join(daemonFolder(t), "bin");
  mkdirSync(bin);
  const script = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const refusal = "sbatch: error: invalid partition specified: gpu";
  script("sbatch", `echo "${refusal}" >&2; exit 1`);
  for (const name of ["squeue", "sacct", "scancel", "scontrol", "sinfo"]) script(name, "exit 0");
  const path = `${bin}:${process.env["PATH"]}`;
  const alone = daemonScene(t, { PATH: path });
  const held = daemonScene(t, { PATH: path });
  const slurm = (scene: DaemonScene) => {
    const sweep = scene.sweep();
    sweep.write("hyperherd.yaml", sweepYaml().replace("scheduler: local", "scheduler: slurm"));
    return sweep;
  };
  const sides = [side(alone, slurm(alone)), side(held, slurm(held))] as const;
  const begun = await held.run("monitor", sides[1].sweep.path, "--detach", "--no-agent");
  assert.equal(begun.code, 0, begun.stderr);
  await untilTrue(
    "the monitor itself was refused",
    () => auditOf(sides[1].sweep.path).some(({ event }) => event === "run"),
  );
  for (const words of [["run", "-i", "0"], ["run", "-i", "0", "--json"]]) {
    const [a, b] = await Promise.all(sides.map(({ run }) => run(...words)));
    assert.equal(a!.code, 5, a!.stdout + a!.stderr);
    const told = ({ stderr }: Said) => stderr.replaceAll(/_one_\w+|hyperherd_\w+/g, "NAME");
    assert.deepEqual([b!.code, told(b!)], [a!.code, told(a!)]);
    assert.match(b!.stderr, /invalid partition/);
  }
});

test("herd api, its --curl line and the lines of docs/api.md work, and the description names every route", async (t) => {
  const scene = daemonScene(t);
  const { run, home, place } = scene;
  const { path, write } = scene.sweep({ name: "lr", trials: 4 });
  const begun = await run("monitor", path, "--detach");
  assert.equal(begun.code, 0, begun.stderr);
  await untilTrue(
    "trials run",
    async () =>
      ((await statusOf(path, home.env).catch(() => undefined))?.totals["running"] ?? 0) > 0,
  );
  const docs = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
  const [first, curl] = [...docs.matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block!);
  const shell = (text: string) => inShell(text, { ...home.env, PATH: pathWith(scene) }, path);

  const lines = first!.split("\n").filter((line) => line !== "" && !/plan|--follow/.test(line));
  assert.ok(lines.length >= 3);
  for (const line of lines) {
    const said = await shell(line);
    assert.ok(said.code === 0 || /trials?.*not live/.test(said.stdout), line + said.stdout);
    assert.ok(JSON.parse(said.stdout), line);
  }
  const asked = await shell(curl!);
  assert.equal(asked.code, 0, asked.stderr);
  assert.deepEqual(JSON.parse(asked.stdout).items.map(({ id }: { id: string }) => id), ["lr"]);
  for (const words of [["sweeps/lr"], ["sweeps/lr/actions/tick", "-d", "{}"]]) {
    const line = await run("api", ...words, "--curl");
    const said = await shell(line.stdout);
    assert.equal(said.code, 0, line.stdout + said.stderr);
    assert.equal(JSON.parse(said.stdout).error, undefined, said.stdout);
  }

  const { port, socket, token_file } = controlOf(path) as Record<string, string>;
  assert.equal(token_file, join(place, "token"));
  for (const file of [token_file!, socket!, join(path, ".hyperherd/control.json")]) {
    assert.equal(statSync(file).mode & 0o077, 0, file);
  }
  const token = readFileSync(token_file!, "utf8").trim();
  const ask = (where: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${where}`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  const description = await (await ask("/openapi.json")).json();
  const described = Object.entries(description.paths as Record<string, object>).flatMap(
    ([where, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${where}`),
  );
  const documented = [...docs.matchAll(/^\| (GET|POST|PUT|DELETE) \| `([^`]+)`/gm)].map((
    [, method, where],
  ) => `${method} ${where}`);
  assert.deepEqual(documented.filter((one) => !described.includes(one)), []);

  const metrics = await ask("/metrics");
  assert.match(await metrics.text(), /^herd_\w+(\{.*\})? [\d.e+-]+$/m);
  assert.equal((await ask("/healthz", { authorization: "" })).status, 200);
  assert.equal((await ask("/v1/sweeps", { authorization: "" })).status, 401);
  assert.equal((await ask("/v1/sweeps", { authorization: "Bearer wrong" })).status, 401);
  assert.equal((await ask("/v1/sweeps", { origin: "http://evil.example" })).status, 403);

  const seen = await idsOf(await ask("/v1/sweeps/lr/events?after=0"), 3);
  assert.deepEqual(seen, [1, 2, 3]);
  const resumed = await idsOf(
    await ask("/v1/sweeps/lr/events?after=0", { "last-event-id": "3" }),
    2,
  );
  assert.deepEqual(resumed, [4, 5], "the last id wins over where the stream once began");
  write("go", "");
});

/** Sequence numbers of the first events of a stream, which is then left. */
async function idsOf(answer: Response, count: number): Promise<number[]> {
  assert.equal(answer.status, 200);
  const ids: number[] = [];
  let text = "";
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const found = [...text.matchAll(/^id: ?(\d+)$/gm)].map(([, id]) => Number(id));
    if (found.length >= count) {
      ids.push(...found.slice(0, count));
      break;
    }
  }
  return ids;
}

function inShell(text: string, env: Record<string, string>, cwd: string): Promise<Said> {
  return new Promise((resolve) => {
    const child = spawn("bash", ["-c", text], { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => stdout += chunk);
    child.stderr.on("data", (chunk) => stderr += chunk);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** A PATH on which the binary under test is `herd`. */
function pathWith({ home }: DaemonScene): string {
  const bin = join(home.env["HOME"]!, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "herd"), `#!/bin/bash\nexec ${HERD} "$@"\n`);
  chmodSync(join(bin, "herd"), 0o755);
  return `${bin}:${process.env["PATH"]}`;
}

test("an MCP client looks and acts through herd mcp, with a daemon and without one", async (t) => {
  const scene = daemonScene(t);
  const { run, home } = scene;
  for (const withDaemon of [false, true]) {
    const options = { name: withDaemon ? "held" : "alone", trials: 3 };
    const { path, write, read } = scene.sweep(options);
    // So that a model may ask for more memory once by itself.
    write("hyperherd.yaml", sweepYaml(options).replace("notify", "remediate"));
    const words = withDaemon ? ["monitor", path, "--detach", "--no-agent"] : ["run", path];
    const started = await run(...words);
    assert.equal(started.code, 0, started.stderr);
    const until = (status: string, index: number) =>
      untilTrue(`trial ${index} is ${status}`, async () => {
        const { trials } = await statusOf(path, home.env);
        return trials[index]?.status === status;
      });
    for (const index of [0, 1]) await until("running", index);
    const client = new Client({ name: "a-test", version: "1" });
    await client.connect(
      new StdioClientTransport({
        command: HERD,
        args: ["mcp", path],
        env: home.env,
        stderr: "ignore",
      }),
    );
    try {
      const names = (await client.listTools()).tools.map(({ name }) => name);
      for (const name of ["read_state", "stop_trials", "stop_all"]) {
        assert.ok(names.includes(name), `${name} of ${names}`);
      }
      const looked = await client.callTool({ name: "read_state", arguments: {} });
      assert.match(JSON.stringify(looked.content), /running/);
      const why = { reason: "a test wants it" };
      const raised = await client.callTool({
        name: "bump_memory",
        arguments: { percent: 50, ...why },
      });
      assert.notEqual(raised.isError, true, JSON.stringify(raised));
      assert.match(read("hyperherd.yaml"), /mem: 75M/);
      assert.match(eventsOf(path).find(({ what }) => what.type === "bumped")!.by, /^mcp:/);
      assert.ok(
        auditOf(path).some(({ by, event }) => `${by}`.startsWith("mcp:") && event === "bump"),
      );

      const all = await client.callTool({ name: "stop_all", arguments: why });
      assert.match(JSON.stringify(all.content), /a person's yes/);
      assert.equal((await statusOf(path, home.env)).totals["running"], 2);
      if (!withDaemon) continue;
      const { confirmations } = JSON.parse((await run("api", "sweeps/held")).stdout);
      const yes = JSON.stringify({ id: confirmations[0].id, yes: true });
      const said = await run("api", "sweeps/held/actions/confirm", "-d", yes);
      assert.equal(said.code, 0, said.stdout);
      for (const index of [0, 1]) await until("cancelled", index);
    } finally {
      await client.close();
    }
  }
});

/** A folder that is removed after the test. */
function daemonFolder(t: { after(act: () => unknown): void }): string {
  return daemonScene(t).home.env["HOME"]!;
}

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { deployedPod } from "../support/deployed.ts";
import { startDiscord } from "../support/discord/start-discord.ts";
import { HERD } from "../support/herd.ts";
import { removeTree } from "../support/remove-tree.ts";

const CHATTER = new URL("../support/acp-chatter.py", import.meta.url).pathname;
const hasBubblewrap =
  spawnSync("bwrap", ["--unshare-user", "--ro-bind", "/", "/", "true"]).status === 0;

/** The deployment's container as its manifest says, in namespaces of this machine. */
function podOf(t: TestContext, secrets: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "herd-pod-"));
  t.after(() => removeTree(folder));
  const { pod, container } = deployedPod();
  const { runAsUser, runAsGroup } = pod.securityContext!;
  const env = { ...secrets, NO_COLOR: "1", PATH: "/opt:/usr/bin" } as Record<string, string>;
  for (const { name, value } of container.env ?? []) env[name] = value ?? "";
  const mounts = container.volumeMounts!.flatMap(({ name, mountPath, readOnly }) => {
    mkdirSync(join(folder, name), { recursive: true });
    return [readOnly ? "--ro-bind" : "--bind", join(folder, name), mountPath];
  });
  const walls = [
    ...["--unshare-user", "--uid", `${runAsUser}`, "--gid", `${runAsGroup}`],
    ...["--unshare-uts", "--hostname", pod.hostname!, "--die-with-parent", "--tmpfs", "/"],
    ...[
      "--ro-bind",
      "/usr",
      "/usr",
      "--symlink",
      "usr/lib",
      "/lib",
      "--symlink",
      "usr/bin",
      "/bin",
    ],
    ...["--symlink", "usr/lib64", "/lib64", "--ro-bind", HERD, "/opt/herd", "--dev", "/dev"],
    ...["--proc", "/proc", ...mounts, "--remount-ro", "/"],
  ];
  const file = (...parts: string[]) => join(folder, ...parts);
  const probe = (which: "startupProbe" | "livenessProbe" | "readinessProbe") =>
    spawned(container[which]!.exec!.command!).ended;
  function spawned(argv: readonly string[]) {
    const child = spawn("bwrap", [...walls, ...argv], { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (piece) => output += piece);
    }
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    return { child, ended, output: () => output };
  }
  const pods: ChildProcess[] = [];
  t.after(() => pods.forEach((child) => child.kill("SIGKILL")));
  return {
    file,
    probe,
    start() {
      const one = spawned(["herd", ...container.args!]);
      pods.push(one.child);
      return one;
    },
    /** As the kubelet does; resolves with milliseconds. */
    async stop({ ended }: ReturnType<typeof spawned>) {
      const { hostname } = pod;
      const record = file("state", ".local/state/herd", hostname!, "daemon.json");
      const began = Date.now();
      process.kill(JSON.parse(readFileSync(record, "utf8")).pid, "SIGTERM");
      assert.equal(await ended, 143, "by a signal, in its own time");
      return Date.now() - began;
    },
  };
}

test(
  "the pod of the manifest: no root, nothing else to write to; probes, SIGTERM, and the next one remembers",
  {
    skip: !hasBubblewrap && "bubblewrap is not here",
  },
  async (t) => {
    const discord = await startDiscord();
    t.after(() => discord[Symbol.asyncDispose]());
    const lab = discord.makeChannel("lab");
    const alice = discord.person("alice");
    const pod = podOf(t, { DISCORD_API_URL: discord.url, DISCORD_BOT_TOKEN: discord.token });
    copyFileSync(CHATTER, pod.file("config", "chatter.py"));
    writeFileSync(
      pod.file("config", "config.yaml"),
      `broker:
  discord: {allowed_channels: ["${lab.id}"], allowed_users: ["${alice.id}"]}
  agent: {kind: acp, command: [python3, /etc/herd/chatter.py, /tmp/prompts.jsonl]}
  workspace: {sandbox: none}
`,
    );
    assert.notEqual(await pod.probe("livenessProbe"), 0, "nothing runs");
    const first = pod.start();
    const isHere = () => discord.gateway.isConnected(discord.bot.id);
    await discord.until("it is on Discord", isHere, 60_000).catch((error) => {
      throw new Error(`${error.message}\n${first.output()}`);
    });
    const asked = discord.say(alice, lab, `<@${discord.bot.id}> hello`);
    await discord.until("it answers", () => asked.reactions.has("🆗"), 60_000);
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"] as const) {
      assert.equal(await pod.probe(probe), 0, probe);
    }
    const { terminationGracePeriodSeconds: grace } = deployedPod().pod;
    assert.ok(await pod.stop(first) < grace! * 1_000 / 4);
    const second = pod.start();
    await discord.until("it is there again", isHere, 60_000);
    const thread = discord.channels.get(asked.id)!;
    const again = discord.say(alice, thread, "and now?");
    await discord.until("it goes on without a mention", () => again.reactions.has("🆗"), 60_000);
    assert.match(
      discord.transcript(thread),
      /it remembers this conversation|was told what was said/,
    );
    await pod.stop(second);
    discord.revokeToken();
    const third = pod.start();
    await discord.until("it says what is wrong", () => /token/i.test(third.output()), 60_000);
    assert.equal(await pod.probe("livenessProbe"), 0, "a new life would not help");
    assert.equal(await pod.probe("readinessProbe"), 1);
  },
);

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSshRunner } from "../../../lib/ssh/ssh-runner.ts";
import { askHost } from "../../../lib/mirror/host-facts.ts";
import { openSshdScene, troubled, untilState } from "../../support/sshd-scene.ts";
import { withoutSshd } from "../../support/sshd.ts";
import { untilFile } from "../../support/until-file.ts";

const onSshd = { skip: withoutSshd };

test("a program runs there, with its outputs, its exit code and its signal", onSshd, async () => {
  await using scene = await openSshdScene();
  const host = scene.here();
  const good = await host.run(["sh", "-c", "cat; echo err >&2"], { input: "a'b\n" });
  assert.deepEqual([good.ok, good.stdout, good.stderr], [true, "a'b\n", "err\n"]);
  const bad = await host.run(["sh", "-c", "exit 7"]);
  assert.deepEqual([bad.ok, bad.exitCode, bad.signal], [false, 7, undefined]);
  const killed = await host.run(["sh", "-c", "kill -SEGV $$"]);
  assert.deepEqual([killed.ok, killed.exitCode, killed.signal], [false, undefined, "SIGSEGV"]);
  const absent = await host.run(["/no/such/program"]);
  assert.deepEqual([absent.ok, absent.exitCode], [false, 127]);
});

test(
  "much goes in and comes out, and a program that does not read does no harm",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    const host = scene.here();
    const input = "0123456789abcdef".repeat(400_000);
    const [echo, deaf, few] = await Promise.all([
      host.run(["cat"], { input }),
      host.run(["true"], { input }),
      host.run(["sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x; echo >&2"], {
        maxBytes: 100_000,
      }),
    ]);
    assert.equal(echo.stdout === input, true);
    assert.equal(deaf.ok, true);
    assert.equal(few.ok && few.stdout.length <= 100_000, true);
  },
);

test("a program whose beginning and end come in one piece has its exit code", onSshd, async () => {
  await using scene = await openSshdScene();
  const { proxy, host } = await troubled(scene);
  await using _ = proxy;
  await host.connect();
  proxy.gatherMs = 600;
  for (const code of [0, 3]) {
    const ended = await host.run(["sh", "-c", `echo x; echo y >&2; exit ${code}`]);
    assert.deepEqual([ended.exitCode, ended.stdout, ended.stderr], [code, "x\n", "y\n"]);
    assert.equal(ended.lost, undefined);
  }
});

test("a time limit ends the program and all of its group", onSshd, async () => {
  await using scene = await openSshdScene();
  const host = scene.here();
  const ended = await host.run(["sh", "-c", "echo $$; trap '' TERM; sleep 987 & wait"], {
    timeoutMs: 700,
  });
  assert.deepEqual([ended.timedOut, ended.ok, ended.exitCode], [true, false, undefined]);
  const pid = ended.stdout.trim();
  const gone = await host.run([
    "sh",
    "-c",
    `while kill -0 -${pid} 2>/dev/null; do sleep 0.05; done`,
  ], {
    timeoutMs: 5000,
  });
  assert.equal(gone.ok, true);
});

test("an abort sends TERM, also where the server knows no signals", onSshd, async () => {
  for (const options of [{}, { shell: "/bin/sh" }]) {
    await using scene = await openSshdScene(options);
    const host = scene.here();
    await host.connect();
    const stop = new AbortController();
    const ready = scene.path("ready");
    const script = "trap 'echo bye; exit 3' TERM; touch \"$1\"; sleep 987 & wait";
    const running = host.run(["sh", "-c", script, "sh", ready], { signal: stop.signal });
    await untilFile(ready);
    // That it has begun was heard of here by then, too.
    await host.run(["true"]);
    stop.abort();
    const ended = await running;
    assert.deepEqual([ended.canceled, ended.stdout, ended.exitCode], [true, "bye\n", 3]);
  }
});

test("what the login shell prints of its own is not the program's", onSshd, async () => {
  await using scene = await openSshdScene({
    shell: "/bin/sh",
    config: ['SetEnv NOISE="echo hello; echo warning >&2;"'],
  });
  // A forced command that is noisy before it does what was asked.
  await using noisy = await openSshdScene({
    config: ['ForceCommand echo "Welcome [herd-x]"; echo bad >&2; eval "$SSH_ORIGINAL_COMMAND"'],
  });
  assert.equal((await scene.here().run(["echo", "x"])).stdout, "x\n");
  const ended = await noisy.here().run(["sh", "-c", "printf x; printf y >&2"]);
  assert.deepEqual([ended.stdout, ended.stderr], ["x", "y"]);
});

test(
  "a login shell that runs nothing is told apart from a program that fails",
  onSshd,
  async () => {
    await using scene = await openSshdScene({
      config: ['ForceCommand echo "This account is currently not available."; exit 1'],
    });
    const ended = await scene.here().run(["true"]);
    assert.equal(ended.exitCode, undefined);
    assert.match(ended.spawnError ?? "", /login shell ended with 1 .* "This account is currently/);
  },
);

test("a login shell that never comes to the program is told in time", onSshd, async () => {
  await using scene = await openSshdScene({ config: ["ForceCommand cat >/dev/null"] });
  const host = scene.here({ startMs: 1_000 });
  // More of them than there are sessions: each gives its place back.
  const all = await Promise.all(Array.from({ length: 12 }, () => host.run(["true"])));
  for (const { spawnError = "" } of all) {
    assert.match(spawnError, /the login shell did not come to it within 1 s/);
  }
  await assert.rejects(host.stream(["true"]), /did not come to it within 1 s/);
});

test(
  "a cut is lost and no exit code; the program may go on, and the next run connects anew",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    const { proxy, host } = await troubled(scene);
    await using _ = proxy;
    await host.connect();
    const running = host.run(["sh", "-c", "sleep 987"]);
    setTimeout(() => proxy.cut(), 400);
    const ended = await running;
    assert.deepEqual([ended.ok, ended.exitCode, ended.signal, ended.spawnError], [
      false,
      undefined,
      undefined,
      undefined,
    ]);
    assert.match(ended.lost ?? "", /was cut.*nobody knows whether/);
    assert.equal((await host.run(["echo", "again"])).stdout, "again\n");
    assert.equal(proxy.connections, 2);
  },
);

test("a run waits for a host that comes back, up to its own time limit", onSshd, async () => {
  await using scene = await openSshdScene();
  const { proxy, host } = await troubled(scene);
  await using _ = proxy;
  proxy.refuse(true);
  const late = await host.run(["true"], { timeoutMs: 300 });
  assert.equal(late.timedOut, true);
  assert.match(late.lost ?? "", /it did not run/);
  const soon = host.run(["echo", "x"], { timeoutMs: 20_000 });
  await untilState(host, "waiting");
  proxy.refuse(false);
  assert.equal((await soon).stdout, "x\n");
});

test("a host that answers no longer is noticed without a word from it", onSshd, async () => {
  await using scene = await openSshdScene();
  const { proxy, host } = await troubled(scene, "ServerAliveInterval 1\nServerAliveCountMax 1\n");
  await using _ = proxy;
  await host.connect();
  proxy.freeze();
  const running = host.run(["echo", "x"]);
  await untilState(host, "waiting");
  assert.ok(host.state.kind === "waiting");
  assert.match(host.state.error.message, /answers no longer/);
  proxy.thaw();
  assert.equal((await running).stdout, "x\n");
});

test(
  "more programs than the server allows wait for their turn, whatever it allows",
  onSshd,
  async () => {
    for (const most of [1, 3]) {
      await using scene = await openSshdScene({ config: [`MaxSessions ${most}`] });
      const host = scene.here();
      const all = await Promise.all(
        Array.from({ length: 6 }, (_, at) => host.run(["sh", "-c", `sleep 0.05; echo ${at}`])),
      );
      assert.deepEqual(
        all.map(({ stdout }) => stdout),
        Array.from({ length: 6 }, (_, at) => `${at}\n`),
      );
      await host.files.stat(".");
      assert.equal((await host.run(["true"], { timeoutMs: 5000 })).ok, true);
    }
  },
);

test(
  "a stream has a terminal of the wanted size, which changes, and Ctrl-C reaches it",
  onSshd,
  async () => {
    await using scene = await openSshdScene();
    const host = scene.here();
    const script = "trap 'stty size' WINCH; trap 'echo int; exit 4' INT; stty size; " +
      "while :; do sleep 0.05; done";
    const stream = await host.stream(["sh", "-c", script], {
      pty: { columns: 100, rows: 30, term: "xterm" },
    });
    let seen = "";
    const shown = (wanted: RegExp) =>
      new Promise<void>((resolve) => {
        const look = () => wanted.test(seen) && resolve();
        stream.output.on("data", (bytes: Uint8Array) => {
          seen += new TextDecoder().decode(bytes);
          look();
        });
        look();
      });
    await shown(/30 100/);
    stream.resize({ columns: 90, rows: 20 });
    await shown(/20 90/);
    stream.output.write("\x03");
    assert.deepEqual(await stream.ended, { exitCode: 4, signal: undefined, lost: undefined });
    assert.match(seen, /int/);
  },
);

test(
  "what a program sees of the environment is what it was given, functions of bash included",
  onSshd,
  async () => {
    await using scene = await openSshdScene({
      config: ["SetEnv SQUEUE_FORMAT=%i PPID=1 KEPT=1 TOKEN=of-the-login"],
    });
    const host = scene.here();
    const { bare } = await askHost(host);
    const run = createSshRunner(host, bare);
    const env = {
      PATH: bare["PATH"]!,
      KEPT: "1",
      SLURM_TIME_FORMAT: "%s",
      "BASH_FUNC_greet%%": '() {  echo "it\'s $1"\n}',
    };
    const { stdout } = await run(["bash", "-c", "greet here; env -0"], { env });
    assert.match(stdout, /^it's here\n/);
    const seen = stdout.slice(stdout.indexOf("\n") + 1).split("\0").filter((one) => one !== "");
    const own = /^(PWD|OLDPWD|SHLVL|_|PPID)=/;
    assert.deepEqual(
      seen.filter((one) => !own.test(one)).toSorted(),
      Object.entries(env).map((pair) => pair.join("=")).toSorted(),
    );
  },
);

test("a closed host refuses what comes later and ends what runs", onSshd, async () => {
  await using scene = await openSshdScene();
  const host = scene.here();
  await host.connect();
  const running = host.run(["sh", "-c", "sleep 987"]);
  setTimeout(() => host.close(), 200);
  assert.match((await running).lost ?? "", /closed here/);
  assert.match((await host.run(["true"])).lost ?? "", /closed here/);
  assert.equal(host.state.kind, "closed");
});

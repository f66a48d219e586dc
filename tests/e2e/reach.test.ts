import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { runProcess } from "../../lib/base/process.ts";
import { atTerminal } from "../support/at-terminal.ts";
import { startCodeSshd, withoutCodeSshd } from "../support/code-sshd.ts";
import { startCodeServer } from "../support/code-server.ts";
import { eventsOf, postsOf, untilTrue as untilTrueWithin } from "../support/daemon.ts";
import { PATIENT, sweepYaml } from "../support/daemon-scene.ts";
import { hostileWords, randomHostileWords } from "../support/hostile-words.ts";
import { HERD, herd, makeSweep, type Said } from "../support/herd.ts";
import { seeded } from "../support/random-text.ts";
import { openReachScene, type ReachScene } from "../support/reach-scene.ts";
import { withoutSshd } from "../support/sshd.ts";

const skip = withoutSshd;

const untilTrue = (what: string, holds: () => boolean | Promise<boolean>, told?: () => string) =>
  untilTrueWithin(what, holds, told, 20_000);

/** The compiled binary here, while it runs. */
function start({ here }: ReachScene, args: readonly string[], input: "ignore" | "pipe" = "ignore") {
  const child = spawn(HERD, args, { env: here.env, stdio: [input, "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout!.on("data", (bytes) => stdout += bytes);
  child.stderr!.on("data", (bytes) => stderr += bytes);
  const ended = new Promise<Said>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
  );
  // Deno's child.kill tells of a signal where there was an exit code.
  const interrupt = () => void process.kill(child.pid!, "SIGINT");
  return { child, ended, interrupt, stdout: () => stdout, stderr: () => stderr };
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

test(
  "herd --host runs a command there: words, input, output and exit code are intact",
  { skip },
  async (t) => {
    await using scene = await openReachScene();
    const there = (...args: string[]) =>
      herd(["--host", "login", ...args], { env: scene.here.env });

    await t.test("every word arrives as it was typed", async () => {
      const words = ["", " ", "a b", "'", '"', "\\", "$HOME", "`id`", "$(id)", "*", "~", "!", "-n"];
      const hostile = [...words, ";id", "line\nline", "ü✓", "--host", "--json"];
      const { stdout, stderr, code } = await there("words", ...hostile);
      assert.deepEqual([stdout.split("\0").slice(0, -1), stderr, code], [hostile, "", 0]);
    });
    await t.test("bytes that are no UTF-8 arrive as they are", async () => {
      const line =
        `"${HERD}" --host login words $'caf\\351' $'\\xff\\xfe\\xf0\\x9f' ü | od -An -v -tx1`;
      const { stdout } = await runProcess(["bash", "-c", line], { env: scene.here.env });
      assert.equal(stdout.replace(/\s+/g, " ").trim(), "63 61 66 e9 00 ff fe f0 9f 00 c3 bc 00");
    });
    await t.test("50 MB of output are whole, also for a reader that is slow to begin", async () => {
      const line = `"${HERD}" --host login big | { sleep 0.5; sha256sum; }; echo "\${PIPESTATUS[0]}"
seq 10000000 | head -c 52428800 | sha256sum`;
      const { stdout } = await runProcess(["bash", "-c", line], { env: scene.here.env });
      const [came, code, wanted] = stdout.trim().split("\n");
      assert.deepEqual([came, code], [wanted, "0"]);
    });
    await t.test("what is piped in is read there, to its end", async () => {
      const run = start(scene, ["--host=login", "read"], "pipe");
      run.child.stdin!.end("x".repeat(1_000_000));
      assert.deepEqual([(await run.ended).stdout.trim(), (await run.ended).code], ["1000000", 0]);
    });
    await t.test("a full disk here is told, and ends the command there", async () => {
      const line = `"${HERD}" --host login big >/dev/full; echo "$?" >&2`;
      const { stderr } = await runProcess(["bash", "-c", line], { env: scene.here.env });
      assert.match(stderr, /Cannot write what "login" printed: ENOSPC/);
      assert.equal(stderr.trim().split("\n").at(-1), "2");
    });
    await t.test("exit codes, outputs and signals stay what they are", async () => {
      assert.equal((await there("code", "5")).code, 5);
      assert.equal((await there("killed")).code, 143);
      const { stdout, stderr, code } = await there("both");
      assert.deepEqual([stdout, stderr, code], ['{"out": 1}\n', "not JSON\n", 3]);
      const { platform } = JSON.parse((await there("version", "--json")).stdout);
      assert.equal(platform, `linux-${process.arch}`);
    });
    await t.test("a reader that goes away ends it, as in any pipe", async () => {
      const line = `"${HERD}" --host login big | head -c 10; echo "\${PIPESTATUS[0]}"`;
      const { stdout, stderr } = await runProcess(["bash", "-c", line], { env: scene.here.env });
      assert.deepEqual([stdout.trim(), stderr], ["1\n2\n3\n4\n5\n141", ""]);
    });
  },
);

for (const shell of ["/bin/bash", "/bin/dash", "/usr/bin/zsh", "/usr/bin/tcsh", "/usr/bin/fish"]) {
  const without = skip || (existsSync(shell) ? false : `there is no ${shell} here`);
  test(`no word is interpreted on the way where the login shell is ${shell}`, {
    skip: without,
  }, async () => {
    await using scene = await openReachScene({ shell });
    const canary = join(scene.there, "canary");
    const words = [
      ...hostileWords(canary),
      ...randomHostileWords(seeded(5), { canary, count: 150 }),
    ];
    const { stdout, code } = await herd(["--host", "login", "words", ...words], {
      env: scene.here.env,
    });
    assert.deepEqual([stdout.split("\0").slice(0, -1), code], [words, 0]);
    assert.equal(existsSync(canary), false);
  });
}

test("Ctrl-C reaches the program there, and a cut is said as what it is", { skip }, async (t) => {
  await using scene = await openReachScene();
  const pidFile = join(scene.there, "pid");
  await t.test("Ctrl-C: exit code 130, and nothing is left there", async () => {
    const run = start(scene, ["--host", "login", "wait"]);
    await untilTrue("it waits there", () => run.stdout().includes("waiting"), run.stderr);
    const pid = Number(readFileSync(pidFile, "utf8"));
    run.interrupt();
    const { code, signal, stderr } = await run.ended;
    assert.deepEqual([code, signal, stderr], [130, null, ""]);
    await untilTrue("it is gone", () => !isAlive(pid));
  });
  await t.test("a cut: exit code 4, and nobody claims to know", async () => {
    const run = start(scene, ["--host", "login", "wait", "--json"]);
    await untilTrue("it waits there", () => run.stdout().includes("waiting"), run.stderr);
    const pid = Number(readFileSync(pidFile, "utf8"));
    scene.proxy.cut();
    const { code, stderr, stdout } = await run.ended;
    assert.equal(code, 4);
    assert.match(stderr, /Cannot tell how it ended on "login", nobody knows: .*Look there before/);
    assert.equal(JSON.parse(stdout.replace("waiting\n", "")).error.kind, "unreachable");
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  await t.test("a host that does not answer is exit code 4 before anything ran", async () => {
    scene.proxy.refuse(true);
    const { code, stderr } = await herd(["--host", "login", "status"], { env: scene.here.env });
    scene.proxy.refuse(false);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /^Error: Cannot connect to "login"/);
  });
  await t.test("the terminal's size is that of the one here, also when it changes", async () => {
    const script = `import os,pty,sys,time,fcntl,termios,struct,signal,select
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], [sys.argv[1], "--host", "login", "size"])
size = lambda rows, columns: fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
size(30, 90)
seen = b""
def until(text):
    global seen
    end = time.time() + 15
    while text not in seen and time.time() < end:
        if select.select([fd], [], [], 0.2)[0]: seen += os.read(fd, 4096)
    assert text in seen, seen
until(b"30 90")
size(41, 123); os.kill(pid, signal.SIGWINCH)
until(b"41 123")
os.write(fd, b"\\x03")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
    const { stdout, stderr } = await runProcess(["python3", "-c", script, HERD], {
      env: { ...scene.here.env, TERM: "xterm" },
    });
    assert.deepEqual([stdout.trim(), stderr], ["130", ""]);
  });
});

test(
  "what is wrong with a host's key is said in a sentence with what to do",
  { skip },
  async () => {
    await using scene = await openReachScene();
    const said = async (...args: string[]) => (await herd(args, { env: scene.here.env }));
    // Any other key of that type.
    scene.knowHost(readFileSync(scene.ssh("id_ed25519.pub"), "utf8").trim());
    for (
      const args of [["--host", "login", "status"], ["tunnel", "login"], [
        "attach",
        "--host",
        "login",
      ]]
    ) {
      const { code, stderr } = await said(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^Error: Cannot trust "login"/, args.join(" "));
      assert.match(stderr, /\nHint: /);
    }
  },
);

test("herd tunnel leads to the daemon there, over cuts and its new start", { skip }, async () => {
  await using scene = await openReachScene();
  const { here, thereEnv } = scene;
  const none = await herd(["tunnel", "login"], { env: here.env });
  assert.equal(none.code, 3, none.stderr);
  assert.match(none.stderr, /No daemon of yours answers on "login"/);
  // Its interview is open: nothing is submitted, and the daemon stays.
  const sweep = makeSweep({ yaml: sweepYaml({ asks: true }), launcher: PATIENT });
  const daemon = async () => {
    const { code, stderr } = await herd(["monitor", sweep.path, "--detach"], { env: thereEnv });
    assert.equal(code, 0, stderr);
  };
  const stop = () => herd(["monitor", "--stop"], { env: thereEnv });
  await daemon();
  const run = start(scene, ["tunnel", "login", "--json"]);
  try {
    await untilTrue("the tunnel stands", () => run.stdout().includes("}\n"), run.stderr);
    const { curl, port, token_file } = JSON.parse(run.stdout());
    const ask = async () =>
      (await runProcess(["bash", "-c", curl], { env: here.env, timeoutMs: 10_000 })).stdout;
    const works = async () => (await ask()).startsWith('{"items":');
    assert.ok(await works(), await ask());
    assert.equal(statSync(token_file).mode & 0o777, 0o600);
    assert.ok(!run.stdout().includes(readFileSync(token_file, "utf8").trim()));
    assert.equal((await fetch(`http://127.0.0.1:${port}/v1/sweeps`)).status, 401);
    const taken = await herd(["tunnel", "login", "--port", `${port}`], { env: here.env });
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /Cannot listen on port \d+ here: another program does/);

    scene.proxy.cut();
    await untilTrue("it is back", works, run.stderr);
    assert.match(run.stderr(), /The connection to "login" is gone.*connecting again/);
    await untilTrue("it says so", () => /Connected to "login" again/.test(run.stderr()));

    await stop();
    await daemon();
    await untilTrue("the new one is asked", works, run.stderr);
    assert.match(run.stderr(), /started anew; the token file has its new token/);
    run.interrupt();
    assert.equal((await run.ended).code, 130);
    assert.equal(existsSync(token_file), false);
  } finally {
    run.child.kill("SIGKILL");
    await stop();
    sweep.remove();
  }
});

test(
  "herd tunnel takes the daemon's port where the server forwards no sockets, and says where none",
  {
    skip,
  },
  async () => {
    for (const forwards of ["local", "no"]) {
      await using scene = await openReachScene({
        config: ["AllowStreamLocalForwarding no", `AllowTcpForwarding ${forwards}`],
      });
      const sweep = makeSweep({ yaml: sweepYaml({ asks: true }), launcher: PATIENT });
      const there = (...args: string[]) => herd(args, { env: scene.thereEnv });
      try {
        assert.equal((await there("monitor", sweep.path, "--detach")).code, 0);
        const run = start(scene, ["tunnel", "login", "--json"]);
        if (forwards === "no") {
          const { code, stderr } = await run.ended;
          assert.equal(code, 2, stderr);
          assert.match(
            stderr,
            /Cannot open a tunnel to "login".*AllowTcpForwarding.*--host login api/s,
          );
          continue;
        }
        await untilTrue("the tunnel stands", () => run.stdout().includes("}\n"), run.stderr);
        const { curl } = JSON.parse(run.stdout());
        const { stdout } = await runProcess(["bash", "-c", curl], { env: scene.here.env });
        assert.match(stdout, /^{"items":/);
        run.interrupt();
        assert.equal((await run.ended).code, 130);
      } finally {
        await there("monitor", "--stop");
        sweep.remove();
      }
    }
  },
);

test(
  "a jump host that wants a code is passed in a terminal, and without one it is said what it asks",
  {
    skip: withoutCodeSshd(),
  },
  async () => {
    await using scene = await openReachScene();
    await using gate = await startCodeSshd();
    writeFileSync(
      scene.ssh("config"),
      `Host behind\n  HostName 127.0.0.1\n  Port ${scene.server.port}\n  HostKeyAlias login\n` +
        `  ProxyJump gate\nHost gate\n  HostName 127.0.0.1\n  Port ${gate.port}\n`,
    );
    writeFileSync(scene.ssh("known_hosts"), `[127.0.0.1]:${gate.port} ${gate.hostKey}\n`, {
      flag: "a",
    });
    const alone = await herd(["--host", "behind", "version"], { env: scene.here.env });
    assert.equal(alone.code, 2);
    assert.match(
      alone.stderr,
      /On the way to "behind", at its jump host "gate": .*nobody can be asked/,
    );
    const person = atTerminal([HERD, "--host", "behind", "version"], scene.here.env);
    await person.answer(/Verification code:/, "code-0");
    await person.answer(/Not accepted, once more/, "code-1");
    assert.equal(await person.ended, 0, person.shown());
    assert.match(person.shown(), /herd \d+\.\d+/);
    const checked = atTerminal([HERD, "hosts", "check", "behind"], scene.here.env);
    await checked.answer(/Verification code:/, "code-2");
    assert.equal(await checked.ended, 0, checked.shown());
    assert.match(checked.shown(), /by way of gate[^]*Logged in by publickey[^]*SFTP works/);
  },
);

test(
  "a daemon without a terminal is helped with a code, and goes on by itself",
  { skip },
  async () => {
    await using scene = await openReachScene();
    const { here } = scene;
    await using codes = await startCodeServer({ folder: scene.there, code: (n) => `code-${n}` });
    writeFileSync(
      scene.ssh("config"),
      `Host second\n  HostName 127.0.0.1\n  Port ${codes.port}\n  HostKeyAlias login\n`,
    );
    scene.knowHost(codes.hostKey);
    const sweep = makeSweep({
      yaml: sweepYaml().replace("scheduler: local", "scheduler: slurm")
        .replace("slurm: {", "slurm: {host: second, "),
      launcher: PATIENT,
    });
    const run = (...args: string[]) => herd(args, { env: here.env });
    const posts = () => postsOf(sweep.path).filter((text) => text.includes("second"));
    try {
      const started = await run("monitor", sweep.path, "--detach");
      assert.equal(started.code, 0, started.stderr);
      await untilTrue("it asks for help", () => posts().some((text) => /needs a code/.test(text)));
      const asked = posts().filter((text) => /needs a code/.test(text));
      assert.match(
        asked[0]!,
        /Cannot reach "second" since \d\d:\d\d UTC: login needs a code: `herd hosts login second`/,
      );
      const listed = await run("hosts", "--json");
      assert.equal(listed.code, 1, listed.stderr);
      const [host] = JSON.parse(listed.stdout).hosts;
      assert.deepEqual([host.name, host.state, host.question.kind, host.question.prompt], [
        "second",
        "refused",
        "code",
        "Verification code:",
      ]);
      assert.equal(host.sweeps[0].path, realpathSync(sweep.path));
      assert.match((await run("hosts")).stdout, /herd hosts login second/);
      const person = atTerminal([HERD, "hosts", "login", "second"], here.env);
      await person.answer(/Verification code:/, "wrong");
      await person.answer(/Not accepted, once more.*Verification code:/, "code-1");
      assert.equal(await person.ended, 0, person.shown());
      assert.match(person.shown(), /The daemon is logged in at second/);
      const loggedIn = performance.now();
      await untilTrue("the sweep goes on", () => codes.programs > 0);
      const waited = performance.now() - loggedIn;
      assert.ok(waited < 4_000, `it goes on at once, not after ${Math.round(waited)} ms`);
      await untilTrue("people are told", () => posts().some((text) => /reached again/.test(text)));
      const after = JSON.parse((await run("hosts", "--json")).stdout).hosts[0];
      assert.deepEqual([after.state, after.question], ["connected", null]);
      assert.equal(posts().filter((text) => /needs a code/.test(text)).length, 1);
      const written = await runProcess([
        "grep",
        "-rlE",
        "code-1|wrong",
        sweep.path,
        here.env["HOME"]!,
      ]);
      assert.equal(written.stdout, "");

      await run("monitor", "--stop");
      // In the foreground it asks before lines are messages to the agent.
      const monitor = atTerminal([HERD, "monitor", sweep.path], here.env);
      await monitor.answer(/Verification code:/, "code-2");
      await untilTrue("it logs in", () => codes.logins === 2, monitor.shown);
      await untilTrue("it listens", async () => (await run("api", "sweeps")).code === 0);
      assert.ok(!JSON.stringify(eventsOf(sweep.path)).includes("code-2"));
      await run("monitor", "--stop");
      await monitor.ended;
    } finally {
      await run("monitor", "--stop");
      sweep.remove();
    }
  },
);

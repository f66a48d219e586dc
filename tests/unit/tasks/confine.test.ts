import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProcess } from "../../../lib/base/process.ts";
import { type Confinement, findConfinement } from "../../../lib/tasks/confine.ts";
import type { Sandbox } from "../../../lib/tasks/sandbox.ts";
import { removeTree } from "../../support/remove-tree.ts";

const ESCAPE = fileURLToPath(new URL("./escape.py", import.meta.url));
const OUTER = fileURLToPath(new URL("./outer.py", import.meta.url));
const NOBODY = 65534;
const INSIDE = ["write inside", "read inside", "result"];
const FILES = ["new", "append", "truncate", "remove", "secret", "mode", "time"];

interface Ground {
  folder: string;
  outside: string;
  /** Runs the escape attempts; the names of those that succeeded, and what was changed outside. */
  escape(
    confinement: Confinement,
    sandbox: Sandbox,
    writes?: string[],
  ): Promise<{ out: string[]; changed: string[] }>;
}

/** Things outside that belong to the same account, so that only the sandbox keeps them. */
async function onGround(account: "root" | "nobody", use: (ground: Ground) => Promise<void>) {
  const root = realpathSync(mkdtempSync("/tmp/herd-confine-"));
  const [folder, outside] = [join(root, "task"), join(root, "outside")];
  const own = (path: string) => account === "nobody" && chownSync(path, NOBODY, NOBODY);
  const as = account === "root"
    ? []
    : ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  for (const path of [root, folder, outside]) {
    if (path !== root) mkdirSync(path);
    own(path);
  }
  copyFileSync(ESCAPE, join(folder, "escape.py"));
  writeFileSync(join(folder, "given.txt"), "given");
  own(join(folder, "given.txt"));
  // As the worker of that account would make it.
  writeFileSync(join(folder, "RESULT.txt"), "");
  own(join(folder, "RESULT.txt"));
  const shm = `herd-${process.pid}`;
  writeFileSync(`/dev/shm/${shm}`, "");
  const lay = () => {
    for (const name of FILES.slice(1)) {
      writeFileSync(join(outside, name), "content");
      chmodSync(join(outside, name), 0o600);
      own(join(outside, name));
      utimesSync(join(outside, name), 1e9, 1e9);
    }
  };
  const look = () =>
    readdirSync(outside).sort().map((name) => {
      const { mode, mtimeMs, size } = statSync(join(outside, name));
      return `${name} ${mode.toString(8)} ${name === "socket" ? "" : mtimeMs} ${size}`;
    });
  const abstract = `herd-${process.pid}-${account}`;
  const words = [...as, "/usr/bin/python3", OUTER, outside, abstract];
  const other = spawn(words[0]!, words.slice(1), {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], SECRET: "x" },
  });
  try {
    const ports = JSON.parse(
      await new Promise<string>((resolve) => other.stdout.on("data", resolve)),
    );
    await use({
      folder,
      outside,
      async escape(confinement, sandbox, writes = []) {
        lay();
        const before = look();
        const facts = JSON.stringify({
          outside,
          pid: other.pid,
          ...ports,
          unix: join(outside, "socket"),
          abstract,
          shm,
          bwrap: confinement.kind === "bwrap",
        });
        const wrapped = confinement.wrap(["/usr/bin/python3", "escape.py", facts], {
          ...{ sandbox, folder, writes },
        });
        assert.ok("argv" in wrapped, JSON.stringify(wrapped));
        const ended = await runProcess([...as, ...wrapped.argv], {
          cwd: folder,
          env: { PATH: "/usr/bin:/bin" },
          timeoutMs: 30_000,
        });
        assert.equal(ended.exitCode, 0, ended.stderr);
        const out = ended.stdout.split("\n").filter((line) => line !== "");
        return { out, changed: look().filter((line) => !before.includes(line)) };
      },
    });
  } finally {
    other.kill("SIGKILL");
    unlinkSync(`/dev/shm/${shm}`);
    removeTree(root);
  }
}

const isRoot = process.getuid?.() === 0;

for (const account of ["root", "nobody"] as const) {
  const skip = isRoot ? false : "needs root, to be two accounts";

  test(
    `without a sandbox every attempt at getting out succeeds for ${account}`,
    { skip },
    async () => {
      await onGround(account, async ({ escape }) => {
        const none = await findConfinement(process.env);
        const { out, changed } = await escape(none, { level: "none", network: false });
        const wanted = [...INSIDE, "write outside", "append outside", "truncate outside"];
        wanted.push(
          "remove outside",
          "read outside",
          "read by a link",
          "hard link",
          "list outside",
        );
        wanted.push("move out", "environment of another", "root of another", "folder of another");
        wanted.push("own root", "signal", "signal to all", "trace", "limits", "tcp", "udp");
        wanted.push("unix socket", "abstract socket");
        assert.deepEqual(wanted.filter((name) => !out.includes(name)), []);
        for (const name of ["mode 100777", "time 100600 1000 "]) {
          assert.ok(changed.some((line) => line.startsWith(name)), changed.join(", "));
        }
      });
    },
  );

  for (const way of ["bwrap", "landlock"] as const) {
    test(`${way}: no attempt at getting out succeeds for ${account}`, { skip }, async () => {
      const confinement = await findConfinement(process.env, [way]);
      assert.equal(confinement.kind, way, confinement.says);
      for (const level of ["workspace", "read-only"] as const) {
        for (const network of [true, false]) {
          await onGround(account, async ({ escape, folder }) => {
            const writes = level === "read-only" ? [join(folder, "RESULT.txt")] : [];
            const { out, changed } = await escape(confinement, { level, network }, writes);
            const inside = level === "workspace" ? INSIDE : ["read inside", "result"];
            const wanted = network ? [...inside, "tcp", "udp"] : inside;
            assert.deepEqual(out, wanted, `${level}, network ${network}`);
            assert.deepEqual(changed, [], `${level}, network ${network}`);
          });
        }
      }
    });
  }
}

for (const way of ["bwrap", "landlock"] as const) {
  test(`${way}: programs of the system work inside, and each word arrives as it was`, async () => {
    const confinement = await findConfinement(process.env, [way]);
    await inFolder(async (folder) => {
      const hostile = ["a b", "$(id)", "'\"", "\n", "ü", "--", ""];
      const words = ["bash", "-c", "git init -q r && printf '%s|' \"$@\"", "bash", ...hostile];
      const sandbox = { level: "workspace", network: false } as const;
      const wrapped = confinement.wrap(words, { sandbox, folder });
      assert.ok("argv" in wrapped);
      const ended = await runProcess(wrapped.argv, { cwd: folder, env: { PATH: "/usr/bin:/bin" } });
      assert.equal(ended.stderr.replaceAll(/^hint:.*\n/gm, ""), "");
      assert.equal(ended.stdout, hostile.map((word) => `${word}|`).join(""));
      assert.ok(existsSync(join(folder, "r/.git")));
    });
  });

  test(`${way}: what the caller names can be read or written, and nothing beside it`, async () => {
    const confinement = await findConfinement(process.env, [way]);
    await inFolder(async (folder, root) => {
      for (const name of ["given", "open", "kept"]) mkdirSync(join(root, name));
      writeFileSync(join(root, "given/file"), "readable");
      symlinkSync(join(root, "given"), join(root, "alias"));
      const script = `cat "$1/given/file" || echo no-read; echo x > "$1/open/new" || echo no-open
        echo x > "$1/given/new" 2>&- || echo no-write; ls "$1/kept" 2>&- || echo no-list`;
      const wrapped = confinement.wrap(["bash", "-c", script, "bash", root], {
        sandbox: { level: "workspace", network: false },
        folder,
        reads: [join(root, "alias"), join(root, "given")],
        writes: [join(root, "open")],
      });
      assert.ok("argv" in wrapped);
      const ended = await runProcess(wrapped.argv, { cwd: folder, env: { PATH: "/usr/bin:/bin" } });
      assert.equal(ended.stdout, "readableno-write\nno-list\n", ended.stderr);
      assert.ok(existsSync(join(root, "open/new")));
    });
  });
}

test("bubblewrap: a daemon in a session of its own ends with the program", async () => {
  const confinement = await findConfinement(process.env, ["bwrap"]);
  await inFolder(async (folder) => {
    const word = `herd-daemon-${process.pid}`;
    const script =
      `setsid setsid -f bash -c 'exec -a ${word} sleep 600' >/dev/null 2>&1; sleep 0.2`;
    const sandbox = { level: "workspace", network: false } as const;
    const wrapped = confinement.wrap(["bash", "-c", script], { sandbox, folder });
    assert.ok("argv" in wrapped);
    assert.equal((await runProcess(wrapped.argv, { cwd: folder })).exitCode, 0);
    // bubblewrap tells the end a moment before the kernel has ended the rest of the namespace.
    const until = Date.now() + 5_000;
    while (processesNamed(word).length > 0 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.deepEqual(processesNamed(word), []);
  });
});

test("bubblewrap: the log of an attempt cannot be taken away or rewritten by its agent", async () => {
  const confinement = await findConfinement(process.env, ["bwrap"]);
  await inFolder(async (folder) => {
    const log = join(folder, "agent-output.log");
    writeFileSync(log, "said");
    const script = `rm -f agent-output.log; echo lie > agent-output.log
      mv agent-output.log other; ln -sf /etc/passwd agent-output.log; true`;
    const sandbox = { level: "workspace", network: false } as const;
    const wrapped = confinement.wrap(["bash", "-c", script], { sandbox, folder });
    assert.ok("argv" in wrapped);
    assert.equal((await runProcess(wrapped.argv, { cwd: folder })).exitCode, 0);
    assert.equal(readFileSync(log, "utf8"), "said");
  });
});

test("Landlock: io_uring, keyrings and mounts are closed", async () => {
  const confinement = await findConfinement(process.env, ["landlock"]);
  await inFolder(async (folder) => {
    const code = `import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for call in (425, ${process.arch === "x64" ? 250 : 219}):
    print(libc.syscall(call, 0, 0, 0, 0, 0), ctypes.get_errno())
print(libc.unshare(0x10000000), libc.mount(b"x", b"/tmp", b"tmpfs", 0, None))`;
    const sandbox = { level: "workspace", network: true } as const;
    const wrapped = confinement.wrap(["python3", "-c", code], { sandbox, folder });
    assert.ok("argv" in wrapped);
    const env = { PATH: "/usr/bin:/bin" };
    const { stdout, stderr } = await runProcess(wrapped.argv, { cwd: folder, env });
    assert.match(stdout, /^-1 1\n-1 1\n(0|-1) -1\n$/, stderr);
  });
});

test("a machine that can confine nothing refuses, with what to install, and still runs without a sandbox", async () => {
  const confinement = await findConfinement(process.env, []);
  assert.equal(confinement.kind, "none");
  for (const level of ["workspace", "read-only"] as const) {
    const sandbox = { level, network: true };
    const wrapped = confinement.wrap(["true"], { sandbox, folder: "/tmp" });
    assert.match((wrapped as { refused: string }).refused, /Install bubblewrap/);
  }
  const argv = ["echo", "$(id)"];
  const none = { level: "none", network: false } as const;
  assert.deepEqual(confinement.wrap(argv, { sandbox: none, folder: "/tmp" }), { argv });
});

test("a bubblewrap that is installed but does not confine is not believed", async () => {
  await inFolder(async (folder) => {
    const fake = (text: string) => writeFileSync(join(folder, "bwrap"), text, { mode: 0o755 });
    const env = { PATH: folder };
    fake('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n');
    const pretending = await findConfinement(env, ["bwrap"]);
    assert.equal(pretending.kind, "none");
    assert.match(pretending.says, /bubblewrap: a file outside was written/);
    fake("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n");
    const forbidden = await findConfinement(env);
    assert.equal(forbidden.kind, "landlock");
    assert.match((await findConfinement(env, ["bwrap"])).says, /No permissions to create new/);
  });
});

test("folders that hold the system or the home, and paths that are not there, are refused", async () => {
  const { wrap } = await findConfinement(process.env);
  await inFolder((folder) => {
    const sandbox = { level: "workspace", network: true } as const;
    const refused = (parts: Partial<Parameters<typeof wrap>[1]>, argv = ["true"]) => {
      const wrapped = wrap(argv, { sandbox, folder, ...parts });
      return "refused" in wrapped ? wrapped.refused : "";
    };
    for (const bad of ["/", "/usr", homedir(), join(homedir(), ".."), "relative", ""]) {
      assert.match(refused({ folder: bad }), /^Cannot confine to /, bad);
    }
    symlinkSync("/", join(folder, "root"));
    assert.match(refused({ folder: join(folder, "root") }), /^Cannot confine to /);
    assert.match(refused({ reads: ["/no/such/thing"] }), /it is not there/);
    assert.match(refused({ writes: [join(folder, "root")] }), /that is everything/);
    assert.match(refused({}, ["true", "a\0b"]), /zero byte/);
    assert.match(refused({}, []), /without a name/);
    return Promise.resolve();
  });
});

async function inFolder(use: (folder: string, root: string) => Promise<void>): Promise<void> {
  const root = realpathSync(mkdtempSync("/tmp/herd-confine-"));
  try {
    mkdirSync(join(root, "task"));
    await use(join(root, "task"), root);
  } finally {
    removeTree(root);
  }
}

function processesNamed(word: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").startsWith(word);
    } catch {
      return false;
    }
  });
}

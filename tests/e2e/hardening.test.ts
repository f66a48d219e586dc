import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runProcess } from "../../lib/base/process.ts";

const HERD = fileURLToPath(new URL("../../herd", import.meta.url));
const skip = existsSync(HERD) ? false : "./herd is not compiled: deno task compile";

const VERSION = /^herd \d+\.\d+\.\d+ \(commit \S+, bun \d+\.\d+\.\d+, linux-(x64|arm64)\)\n$/;

/** What a hostile, or merely unlucky, folder holds. Each file says EVIL when it is read. */
const EVIL_FILES: Record<string, string> = {
  ".env": "HERD_DEBUG=1\nNO_COLOR=\nFORCE_COLOR=1\nEVIL=1\n",
  ".env.local": "FORCE_COLOR=1\n",
  ".env.production": "FORCE_COLOR=1\n",
  "bunfig.toml": 'preload = ["./evil.ts"]\n',
  "evil.ts": 'console.log("EVIL"); process.exit(66);\n',
  "evil.js": 'console.log("EVIL"); process.exit(66);\n',
  "package.json": '{ "name": "evil", "type": "commonjs", "imports": { "#x": "./evil.js" } }\n',
  "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./evil.ts"] } } }\n',
  "deno.json": '{ "imports": { "node:fs": "./evil.ts" } }\n',
};

async function inEvilFolder(work: (folder: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "herd-evil-"));
  try {
    for (const [name, text] of Object.entries(EVIL_FILES)) writeFileSync(join(folder, name), text);
    for (const name of ["yaml", "dotenv", "node:fs"]) {
      mkdirSync(join(folder, "node_modules", name), { recursive: true });
      writeFileSync(join(folder, "node_modules", name, "index.js"), EVIL_FILES["evil.js"]!);
    }
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function herd(cwd: string, argv: string[], env: Record<string, string> = {}) {
  const { PATH = "", HOME = "/" } = process.env;
  const all = { PATH, HOME, XDG_STATE_HOME: cwd, ...env };
  return runProcess([HERD, ...argv], { cwd, env: all, timeoutMs: 20_000 });
}

test(
  "nothing in the folder where it is started changes what it does",
  { skip },
  () =>
    inEvilFolder(async (cwd) => {
      const { stdout, stderr, exitCode } = await herd(cwd, ["--version"]);
      assert.match(stdout, VERSION);
      assert.equal(stderr, "");
      assert.equal(exitCode, 0);
      // A loaded .env would show a stack (HERD_DEBUG) and colours (FORCE_COLOR).
      const unknown = await herd(cwd, ["nonsense"]);
      assert.equal(unknown.exitCode, 2);
      assert.match(unknown.stderr, /^Error: Unknown command "nonsense"\nHint: [^\n]+\n$/);
    }),
);

/** Variables that change what Bun does, most of them enough to run somebody's code. */
const BUN_VARIABLES: Record<string, string>[] = [
  { BUN_BE_BUN: "1" },
  { BUN_OPTIONS: "--preload ./evil.ts" },
  { BUN_OPTIONS: "--print process.exit(66)" },
  { BUN_OPTIONS: "--env-file=.env" },
  { BUN_OPTIONS: "--config=bunfig.toml" },
  { BUN_BE_BUN: "1", BUN_OPTIONS: "--preload ./evil.ts" },
  { BUN_INSPECT: "ws://127.0.0.1:0/x?break=1", BUN_INSPECT_PRELOAD: "./evil.ts" },
  { BUN_INSPECT_CONNECT_TO: "/nowhere" },
  { BUN_JSC_dumpOptions: "2" },
  { BUN_JSC_useJIT: "nonsense", BUN_JSC_dumpGeneratedBytecodes: "1" },
  { BUN_CONFIG_VERBOSE_FETCH: "curl" },
  { BUN_THREADPOOL_STATS: "1" },
  { BUN_BYTECODE_ORDER_OUT: "./made-by-bun", BUN_BYTECODE_DIGEST_OUT: "./made-by-bun-too" },
  { BUN_DESTRUCT_VM_ON_EXIT: "1", BUN_GARBAGE_COLLECTOR_LEVEL: "2" },
  { BUN_: "1", BUN_NEVER_HEARD_OF: "1" },
];

for (const variables of BUN_VARIABLES) {
  const shown = Object.entries(variables).map(([name, value]) => `${name}=${value}`).join(" ");
  test(`${shown} changes nothing`, { skip }, () =>
    inEvilFolder(async (cwd) => {
      const plain = await herd(cwd, ["help", "exit-codes"]);
      const marked = await herd(cwd, ["help", "exit-codes"], variables);
      assert.equal(marked.stdout, plain.stdout);
      assert.equal(marked.stderr, "");
      assert.equal(marked.exitCode, 0);
      assert.equal(existsSync(join(cwd, "made-by-bun")), false);
    }));
}

test("arguments that Bun knows are herd's to judge", { skip }, () =>
  inEvilFolder(async (cwd) => {
    for (
      const argv of [["run", "--preload", "./evil.ts"], ["--preload", "./evil.ts"], ["-e", "1"]]
    ) {
      const { exitCode, stdout, stderr } = await herd(cwd, argv);
      assert.equal(exitCode, 2, argv.join(" "));
      assert.equal(stdout, "");
      assert.match(stderr, /^Error: Unknown /);
    }
  }));

test(
  "variables of Node's that load code change nothing either",
  { skip },
  () =>
    inEvilFolder(async (cwd) => {
      for (const value of ["--require ./evil.js", "--import ./evil.ts"]) {
        assert.match((await herd(cwd, ["--version"], { NODE_OPTIONS: value })).stdout, VERSION);
      }
      const path = join(cwd, "node_modules");
      assert.match((await herd(cwd, ["--version"], { NODE_PATH: path })).stdout, VERSION);
    }),
);

test(
  "it starts without a home, without a usable TMPDIR, and with an empty environment",
  { skip },
  () =>
    inEvilFolder(async (cwd) => {
      for (const env of [{}, { HOME: "/nonexistent" }, { HOME: "/proc", TMPDIR: "/nonexistent" }]) {
        const { stdout, stderr } = await runProcess([HERD, "--version"], { cwd, env });
        assert.match(stdout, VERSION);
        assert.equal(stderr, "");
      }
    }),
);

test(
  "a folder that was deleted is told, one that may not be read is no matter",
  { skip },
  () =>
    inEvilFolder(async (cwd) => {
      const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" --version';
      const gone = await runProcess(["bash", "-c", script, HERD], { cwd });
      assert.match(gone.stderr, /directory was deleted/);
      assert.equal(gone.exitCode, 1);
      const closed = join(cwd, "closed");
      mkdirSync(closed);
      chmodSync(closed, 0o111);
      assert.match((await herd(closed, ["--version"])).stdout, VERSION);
    }),
);

test("it runs within the address space that login nodes allow", { skip }, async () => {
  const script = 'ulimit -v 4000000 && exec "$0" help';
  const { stdout, exitCode } = await runProcess(["bash", "-c", script, HERD]);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^Runs sweeps of trials/);
});

test(
  "other variables, however they are mixed with Bun's, arrive whole",
  { skip },
  () =>
    inEvilFolder(async (cwd) => {
      const env = {
        BUN_A: "1",
        FORCE_COLOR: "1",
        BUN_B: "2",
        BUNNY: "x",
        BU: "y",
        BUN: "z",
        BUN_C: "",
      };
      const { stderr } = await herd(cwd, ["nonsense"], env);
      assert.ok(stderr.startsWith("\x1b[31mError:\x1b[39m"), stderr);
    }),
);

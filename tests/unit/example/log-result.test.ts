import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runProcess } from "../../../lib/base/process.ts";
import { createResultLog } from "../../../lib/store/result-log.ts";
import { createResults } from "../../../lib/store/results.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { makeTrial, PYTHON, pythonOptions } from "./trial.ts";

const python = await pythonOptions();
const FROM = "from herd_results import *\nimport sys, os\n";

test(
  "a final result is a flat JSON object in which the last value of a name counts",
  python,
  async () => {
    using trial = makeTrial();
    const ended = await trial.python(`${FROM}
log_result("accuracy", 0.5)
log_result("note", "größe \\n \\"x\\"")
log_result("accuracy", 0.75)
log_result("list", [1, None, True])
`);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.deepEqual(trial.final(), {
      accuracy: 0.75,
      note: 'größe \n "x"',
      list: [1, null, true],
    });
    assert.deepEqual(readdirSync(trial.result()).sort(), ["3", "3.json"]);
    assert.deepEqual(readdirSync(trial.result("3")), ["_lock"], "no temporary file is left");
    assert.equal(readdirSync(trial.result("3", "_lock")).length, 1);
  },
);

test(
  "a point of a curve is one line of step, value and time; slashes become folders",
  python,
  async () => {
    using trial = makeTrial();
    const ended = await trial.python(`${FROM}
log_result("val/loss", 0.5, step=1)
log_result("val/loss", float("nan"), step=2)
log_result("val/loss", float("-inf"), 3)
log_result("val", 1, step=True)
`);
    assert.equal(ended.exitCode, 0, ended.stderr);
    const text = readFileSync(trial.result("3", "stream", "val", "loss.jsonl"), "utf8");
    assert.match(text, /^\{"step": 1, "value": 0\.5, "ts": \d+\.\d+\}\n\{"step": 2, "value": NaN,/);
    assert.deepEqual(trial.stream("val/loss").map((record) => record.value), [
      0.5,
      "NaN",
      "-Infinity",
    ]);
    assert.equal(trial.stream("val").length, 1);
  },
);

test("names that would leave the stream folder, or are no names, are refused", python, async () => {
  using trial = makeTrial();
  const ended = await trial.python(`${FROM}
for name in ("/etc/x", "../x", "a/../../x", "..", "a/", "/", ".", "  ", "a\\\\..\\\\b", "a\\x9fb", "", "a\\nb", "a\\x00b", 3, None):
    try:
        log_result(name, 1, step=1)
        print("wrote", repr(name))
    except ValueError as error:
        assert str(error).startswith("Cannot log metric"), error
`);
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.equal(ended.stdout, "");
  assert.deepEqual(readdirSync(trial.workspace), [".hyperherd"]);
  assert.deepEqual(readdirSync(join(trial.workspace, ".hyperherd")), ["manifest.json"]);
});

test(
  "shell characters, spaces and unicode in metric names are file names and nothing else",
  python,
  async () => {
    using trial = makeTrial();
    const names = ["a b", "$(touch x)", "l'oss;\"", "größe", "*"];
    const ended = await trial.python(
      `${FROM}\nfor name in sys.argv[1:]: log_result(name, 1, step=1); log_result(name, 2)`,
      names,
    );
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.deepEqual(
      readdirSync(trial.result("3", "stream")).sort(),
      names.map((n) => `${n}.jsonl`).sort(),
    );
    assert.deepEqual(Object.keys(trial.final()), names);
  },
);

test(
  "numbers of array libraries are logged as numbers, what is no value is a TypeError",
  python,
  async () => {
    using trial = makeTrial();
    const ended = await trial.python(`${FROM}
class Scalar:
    def item(self): return 0.25
class Array:
    def item(self): raise ValueError("more than one")
    def tolist(self): return [1, 2]
log_result("scalar", Scalar(), step=1)
log_result("scalar", Scalar())
log_result("array", Array())
try:
    log_result("object", object())
except TypeError as error:
    assert "Cannot log a object" in str(error), error
    log_result("still", "works")
`);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.deepEqual(trial.final(), { scalar: 0.25, array: [1, 2], still: "works" });
    assert.equal(trial.stream("scalar")[0]!.value, 0.25);
  },
);

test("half a line that a killed run left does not spoil the next record", python, async () => {
  using trial = makeTrial();
  mkdirSync(trial.result("3", "stream"), { recursive: true });
  writeFileSync(trial.result("3", "stream", "loss.jsonl"), '{"step": 1, "val');
  await trial.python(`${FROM}\nlog_result("loss", 2, step=2)\nlog_result("loss", 3, step=3)`);
  const lines = readFileSync(trial.result("3", "stream", "loss.jsonl"), "utf8").split("\n");
  assert.equal(lines[0], '{"step": 1, "val');
  assert.deepEqual(lines.slice(1, 3).map((line) => JSON.parse(line).value), [2, 3]);
});

test("a damaged results file is kept aside and said, and logging goes on", python, async () => {
  using trial = makeTrial();
  mkdirSync(trial.result(), { recursive: true });
  for (const damage of ['{"accuracy": 0.', "", "[1]"]) {
    writeFileSync(trial.result("3.json"), damage);
    const ended = await trial.python(`${FROM}\nlog_result("a", 1)`);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.match(ended.stderr, /was damaged; it is kept as .*3\.json\.torn-\d+\n/);
    assert.deepEqual(trial.final(), { a: 1 });
  }
  assert.ok(readdirSync(trial.result()).some((name) => name.startsWith("3.json.torn-")));
});

test(
  "G.1.11: a reader that polls while results are written never sees half a file",
  python,
  async () => {
    using trial = makeTrial();
    const writer = spawn(
      PYTHON,
      [
        "-c",
        `${FROM}
for i in range(400):
    log_result("k%d" % (i % 40), "x" * 2000)
    log_result("loss", i, step=i)
`,
      ],
      { env: trial.env, stdio: ["ignore", "ignore", "inherit"] },
    );
    let done = false;
    const ended = new Promise((resolve) => writer.on("close", resolve)).finally(() => done = true);
    let seen = 0;
    const sizes = new Set<number>();
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      let text: string;
      try {
        text = readFileSync(trial.result("3.json"), "utf8");
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOENT");
        assert.equal(seen, 0, "once there, the file is always there");
        continue;
      }
      seen++;
      sizes.add(Object.keys(JSON.parse(text)).length);
    }
    assert.equal(await ended, 0);
    assert.ok(seen > 10 && sizes.size > 1, `${seen} looks, ${sizes.size} states`);
    assert.equal(trial.stream("loss").length, 400);
  },
);

test("eight processes that log at once lose nothing", python, async () => {
  using trial = makeTrial();
  const source = `${FROM}
me = sys.argv[1]
for i in range(50):
    log_result("%s-%d" % (me, i), i)
    log_result("shared", int(me), step=i)
`;
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, i) => trial.python(source, [`${i}`])),
  );
  for (const ended of all) assert.equal(ended.exitCode, 0, ended.stderr);
  assert.equal(Object.keys(trial.final()).length, 400);
  assert.equal(trial.stream("shared").length, 400);
  assert.deepEqual(readdirSync(trial.result("3")).sort(), ["_lock", "stream"]);
  assert.equal(readdirSync(trial.result("3", "_lock")).length, 1);
});

test("threads of one process that log at once lose nothing", python, async () => {
  using trial = makeTrial();
  const ended = await trial.python(`${FROM}
import threading
def work(me):
    for i in range(25): log_result("%d-%d" % (me, i), i)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
`);
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.equal(Object.keys(trial.final()).length, 100);
});

test(
  "processes killed while they log leave whole files, and a lock that goes by itself",
  python,
  async () => {
    using trial = makeTrial();
    const ended = await trial.python(`${FROM}
import herd_results, signal, subprocess, time
log_result("before", 1)
# Dies inside of the lock, its temporary file written.
child = subprocess.Popen([sys.executable, "-c", '''
import herd_results, os, signal
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
herd_results.log_result("lost", 1)
'''])
assert child.wait() == -signal.SIGKILL
start = time.monotonic()
log_result("after", 2)
assert time.monotonic() - start < 5, "a holder that died on this machine is noticed at once"
`);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.deepEqual(trial.final(), { before: 1, after: 2 });
  },
);

/** A lock of a process that is not for us to see. */
const ELSEWHERE = JSON.stringify({ host: "node77", pid: 1, boot: "b", start: "1", nonce: "n" });

for (const [what, text] of [["silent holder elsewhere", ELSEWHERE], ["half-written lock", "{"]]) {
  test(
    `several waiters for the lock of a ${what} take it in the end and lose nothing`,
    python,
    async () => {
      using trial = makeTrial();
      mkdirSync(trial.result("3", "_lock"), { recursive: true });
      writeFileSync(trial.result("3", "_lock", "lease.8"), text!);
      const source = `${FROM}
import herd_results, time
herd_results._Lock.STALE = herd_results._Lock.UNREADABLE = 1.0
start = time.monotonic()
for i in range(20):
    log_result("%s-%d" % (sys.argv[1], i), i)
print(time.monotonic() - start)
`;
      const all = await Promise.all(
        Array.from({ length: 5 }, (_, i) => trial.python(source, [`${i}`])),
      );
      for (const ended of all) assert.equal(ended.exitCode, 0, ended.stderr);
      for (const ended of all) assert.equal(ended.stderr, "");
      // A process that starts late finds the lock taken over already.
      const seconds = all.map((ended) => Number(ended.stdout));
      assert.ok(Math.max(...seconds) > 0.9, "nobody takes a lock before its time");
      assert.equal(Object.keys(trial.final()).length, 100);
    },
  );
}

test(
  "a holder that lives and lets nobody in delays a result and does not lose it",
  python,
  async () => {
    using trial = makeTrial();
    const ended = await trial.python(`${FROM}
import herd_results
herd_results._Lock.PATIENCE = 0.3
folder = os.path.join(os.environ["HYPERHERD_WORKSPACE"], ".hyperherd", "results", "3", "_lock")
with herd_results._Lock(folder, "test") as lock:
    log_result("a", 1)
    assert lock.held()
`);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.match(ended.stderr, /no lock in .*_lock; writing without it/);
    assert.deepEqual(trial.final(), { a: 1 });
  },
);

test("herd log and the helper, logging at once, lose nothing of each other", python, async () => {
  using trial = makeTrial();
  const log = createResultLog({ dir: trial.result(), clock: createSystemClock() });
  const source = `${FROM}
for i in range(60): log_result("python-%d" % i, float("nan")); log_result("m", i, step=i)
`;
  const pythons = [trial.python(source), trial.python(source)];
  for (let i = 0; i < 60; i++) {
    await log.logFinal(3, `herd-${i}`, i);
    log.logStep(3, "m", i, i);
  }
  for (const ended of await Promise.all(pythons)) assert.equal(ended.exitCode, 0, ended.stderr);
  assert.equal(Object.keys(trial.final()).length, 120);
  assert.equal(trial.stream("m").length, 180);
});

test("herd reads what the helper wrote: names, steps, NaN and final values", python, async () => {
  using trial = makeTrial();
  await trial.python(`${FROM}
log_result("val/loss", 0.5, step=1)
log_result("val/loss", float("nan"), step=2)
log_result("größe", 3, step=7)
log_result("final", float("inf"))
`);
  const results = createResults({ dir: trial.result() });
  assert.deepEqual(results.listTrials(), [3]);
  assert.deepEqual(results.listStreams(3), ["größe", "val/loss"]);
  const { points, skipped } = results.readStream(3, "val/loss");
  assert.deepEqual(points.map((point) => [point.step, point.value]), [[1, 0.5], [2, null]]);
  assert.equal(skipped, 0);
  assert.equal(results.lastStep(3)?.metric, "größe");
  assert.deepEqual(results.readFinal(3), { values: { final: Infinity }, notices: [] });
});

test("logging leaves the trainer's random numbers alone", python, async () => {
  using trial = makeTrial();
  const ended = await trial.python(`${FROM}
import random
random.seed(1)
expected = [random.random(), random.random()]
random.seed(1)
got = [random.random()]
log_result("a", 1); log_result("a", 1, step=1)
assert got + [random.random()] == expected
`);
  assert.equal(ended.exitCode, 0, ended.stderr);
});

for (const action of ["prune", "pause"]) {
  test(
    `the signal ${action} raises TrialPruned after the point was written, never for a final result`,
    python,
    async () => {
      using trial = makeTrial();
      trial.sendSignal(action);
      const ended = await trial.python(`${FROM}
import pickle
assert should_stop() == should_stop(3) == "${action}"
assert should_stop(4) is None
log_result("final", 1)
try:
    log_result("loss", 1, step=7)
except TrialPruned as signal:
    assert (signal.action, signal.index) == ("${action}", 3)
    copy = pickle.loads(pickle.dumps(signal))
    assert (copy.action, copy.index, str(copy)) == (signal.action, 3, str(signal))
else:
    sys.exit("not raised")
`);
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.equal(trial.stream("loss")[0]!.step, 7);
      assert.deepEqual(trial.final(), { final: 1 });
    },
  );
}

test("a signal file that is empty, torn or foreign stops nobody", python, async () => {
  using trial = makeTrial();
  for (const text of ["", "pru", "stop", "\u0000", "prune pause"]) {
    trial.sendSignal(text);
    const ended = await trial.python(
      `${FROM}\nlog_result("a", 1, step=1)\nassert should_stop() is None`,
    );
    assert.equal(ended.exitCode, 0, ended.stderr);
  }
});

test(
  "outside of a trial strict logging says what is missing, and strict=False does nothing",
  python,
  async () => {
    using trial = makeTrial();
    const source = `${FROM}
log_result("a", 1, strict=False)
log_result("a", 1, step=1, strict=False)
assert should_stop() is None
for check in (lambda: log_result("a", 1), lambda: log_result("a", 1, step=1), assert_writable):
    try:
        check()
    except RuntimeError as error:
        print(error)
    else:
        sys.exit("not raised")
`;
    for (
      const [env, reason] of [
        [{ HYPERHERD_WORKSPACE: "" }, /HYPERHERD_WORKSPACE is not set/],
        [{ HYPERHERD_TRIAL_ID: "" }, /HYPERHERD_TRIAL_ID is not set/],
        [{ HYPERHERD_TRIAL_ID: "../1" }, /HYPERHERD_TRIAL_ID is "..\/1": a whole number/],
      ] as const
    ) {
      const ended = await trial.python(source, [], { env: { ...trial.env, ...env } });
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.equal(ended.stdout.trim().split("\n").length, 3);
      assert.match(ended.stdout, reason);
    }
    assert.deepEqual(readdirSync(join(trial.workspace, ".hyperherd")), ["manifest.json"]);
  },
);

test(
  "a container that does not show the workspace gets the bind mount to add",
  python,
  async () => {
    using trial = makeTrial();
    const env = { ...trial.env, HYPERHERD_WORKSPACE: "/no/such" };
    const gone = await trial.python(`${FROM}\nlog_result("a", 1)`, [], { env });
    assert.match(
      gone.stderr,
      /RuntimeError: Cannot log results: the workspace "\/no\/such" is not visible.*--bind \/no\/such:\/no\/such/,
    );
    rmSync(join(trial.workspace, ".hyperherd", "manifest.json"));
    const partial = await trial.python(`${FROM}\nassert_writable()`);
    assert.match(
      partial.stderr,
      /manifest\.json is not; inside a container, bind the whole workspace/,
    );
  },
);

test(
  "assert_writable notices a workspace that cannot be written, and leaves nothing behind",
  python,
  async () => {
    using trial = makeTrial();
    const fine = await trial.python(`${FROM}\nassert_writable()`);
    assert.equal(fine.exitCode, 0, fine.stderr);
    assert.deepEqual(readdirSync(trial.result("3")), []);
    rmSync(trial.result(), { recursive: true });
    writeFileSync(trial.result(), "a file where the folder should be");
    const ended = await trial.python(`${FROM}\nassert_writable()`);
    assert.match(ended.stderr, /RuntimeError: Cannot log results: ".*" is not writable here/);
  },
);

test(
  "in a distributed run only rank 0 logs and gets the signal, unless asked otherwise",
  python,
  async () => {
    using trial = makeTrial();
    trial.sendSignal("prune");
    const source = `${FROM}
try:
    log_result("loss", 1, step=int(sys.argv[1]))
except TrialPruned:
    print("pruned")
log_result("by", sys.argv[1])
`;
    for (
      const names of [["RANK", "WORLD_SIZE"], ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS"]] as const
    ) {
      for (const rank of ["0", "1"]) {
        const env = { ...trial.env, [names[0]]: rank, [names[1]]: "2" };
        const ended = await trial.python(source, [rank], { env });
        assert.equal(ended.stdout, rank === "0" ? "pruned\n" : "", ended.stderr);
      }
    }
    assert.deepEqual(trial.stream("loss").map((record) => record.step), [0, 0]);
    assert.deepEqual(trial.final(), { by: "0" });
    const env = { ...trial.env, RANK: "1", WORLD_SIZE: "2" };
    await trial.python(`${FROM}\nlog_result("r1", 1, all_ranks=True)`, [], { env });
    assert.equal(trial.final()["r1"], 1);
  },
);

test(
  "a batch job's own rank variables do not silence a trial with one process",
  python,
  async () => {
    using trial = makeTrial();
    const env = { ...trial.env, SLURM_PROCID: "1", SLURM_STEP_NUM_TASKS: "1" };
    await trial.python(`${FROM}\nlog_result("a", 1)`, [], { env });
    assert.deepEqual(trial.final(), { a: 1 });
  },
);

const hyperherd = await runProcess([
  PYTHON,
  "-c",
  "import hyperherd.logging",
], { timeoutMs: 60_000 });

test(
  "the hyperherd package's own log_result works in herd's workspace, beside the helper",
  hyperherd.ok ? {} : { skip: "the package hyperherd is not installed for this Python" },
  async () => {
    using trial = makeTrial();
    const ended = await trial.python(`
import hyperherd, herd_results
from hyperherd import logging
workspace = __import__("os").environ["HYPERHERD_WORKSPACE"]
logging.assert_writable()
hyperherd.log_result("theirs", 1)
herd_results.log_result("ours", float("nan"))
hyperherd.log_result("theirs/loss", 0.5, step=1)
herd_results.log_result("theirs/loss", float("nan"), step=2)
assert set(logging.load_trial_results(workspace, 3)) == {"theirs", "ours"}
assert list(logging.load_all_results(workspace)) == [3]
records = logging.load_metric_stream(workspace, 3, "theirs/loss")
assert [record["step"] for record in records] == [1, 2], records
assert records[1]["value"] != records[1]["value"]
assert logging.list_metric_streams(workspace, 3) == ["theirs/loss"]
text = "experiment_name=lr-0.1 lr=0.1 n=3 on=true off=false none=null name=x-1 exp=1e-05 q='x'"
assert hyperherd.parse_overrides(text) == herd_results.parse_overrides(text)
`);
    assert.equal(ended.exitCode, 0, ended.stderr);
  },
);

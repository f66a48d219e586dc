import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { runProcess } from "../../../lib/base/process.ts";
import { EXAMPLE, makeTrial, PYTHON, pythonOptions, type Trial } from "./trial.ts";

const python = await pythonOptions();
/** A trial that takes a fraction of a second. */
const SMALL = ["experiment_name=small", "hidden=4", "learning_rate=0.01", "epochs=6"];

function checkpoint(trial: Trial, name = "small") {
  return join(trial.workspace, "checkpoints", name, "checkpoint.json");
}

test("the trainer learns: accuracy rises above 80 % and is logged per epoch", python, async () => {
  using trial = makeTrial();
  const ended = await trial.train(
    "experiment_name=a",
    "hidden=8",
    "learning_rate=0.01",
    "epochs=12",
  );
  assert.equal(ended.exitCode, 0, ended.stderr);
  const accuracy = trial.stream("val_accuracy");
  assert.deepEqual(
    accuracy.map((record) => record.step),
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  assert.ok(Number(trial.final()["accuracy"]) > 0.8, JSON.stringify(trial.final()));
  assert.equal(trial.final()["accuracy"], accuracy.at(-1)!.value);
  const loss = trial.stream("train_loss");
  assert.ok(loss.at(-1)!.value < loss[0]!.value / 2);
  assert.ok(accuracy.every((record) => Math.abs(record.ts * 1000 - Date.now()) < 600_000));
});

test("logistic regression (hidden=0) learns as well", python, async () => {
  using trial = makeTrial();
  await trial.train("experiment_name=a", "hidden=0", "learning_rate=0.01", "epochs=6");
  assert.ok(Number(trial.final()["accuracy"]) > 0.75);
});

test("the same seed gives the same numbers, another seed others", python, async () => {
  const finals = [];
  for (const seed of [1, 1, 2]) {
    using trial = makeTrial();
    await trial.train(...SMALL, `seed=${seed}`);
    finals.push(JSON.stringify(trial.final()));
  }
  assert.equal(finals[0], finals[1]);
  assert.notEqual(finals[0], finals[2]);
});

for (
  const [how, chaos, code] of [
    ["killed with kill -9 in the middle of epoch 4", "signal:KILL", undefined],
    ["sent SIGTERM in the middle of epoch 4", "signal:TERM", 75],
    ["sent SIGUSR1 in the middle of epoch 4", "signal:USR1", 75],
    ["that crashes in the middle of epoch 4", "crash", 1],
  ] as const
) {
  test(`a run ${how} ends, once resumed, with the result of one that was not`, python, async () => {
    using whole = makeTrial();
    await whole.train(...SMALL);
    using trial = makeTrial();
    const options = [...SMALL, `chaos=${chaos}`, "chaos_epoch=4", "chaos_runs=1"];
    const first = await trial.train(...options);
    assert.equal(first.exitCode, code, first.stderr);
    assert.ok(!existsSync(trial.result("3.json")), "an unfinished run has no final result");
    assert.equal(trial.stream("val_accuracy").length, 3);
    const second = await trial.train(...options);
    assert.equal(second.exitCode, 0, second.stderr);
    assert.match(second.stdout, /^going on after epoch 3, row \d+\n/);
    assert.deepEqual(trial.final(), whole.final());
    const values = (each: Trial) =>
      each.stream("train_loss").map(({ step, value }) => [step, value]);
    assert.deepEqual(values(trial), values(whole));
  });
}

test(
  "SIGTERM and SIGUSR1 save work of the running epoch, kill -9 costs that epoch",
  python,
  async () => {
    for (const [signal, row] of [["TERM", "201"], ["USR1", "201"], ["KILL", "0"]]) {
      using trial = makeTrial();
      const options = [...SMALL, `chaos=signal:${signal}`, "chaos_epoch=4", "chaos_runs=1"];
      await trial.train(...options);
      const second = await trial.train(...options);
      assert.match(second.stdout, new RegExp(`^going on after epoch 3, row ${row}\n`));
    }
  },
);

test(
  "a signal from outside ends a running trial with a checkpoint and code 75",
  python,
  async () => {
    for (const signal of ["SIGTERM", "SIGUSR1"] as const) {
      using trial = makeTrial();
      const child = spawn(
        PYTHON,
        [join(EXAMPLE, "train.py"), ...SMALL, "epochs=1000", "chaos=slow:60"],
        { cwd: trial.workspace, env: trial.env, stdio: ["ignore", "pipe", "inherit"] },
      );
      const ended = new Promise((resolve) => child.on("close", resolve));
      let last = "";
      for await (const line of createInterface({ input: child.stdout })) {
        last = line;
        if (line.startsWith("epoch 1/")) process.kill(child.pid!, signal);
      }
      assert.equal(await ended, 75);
      assert.match(last, new RegExp(`^${signal}: checkpoint of epoch 1`));
      assert.equal(JSON.parse(readFileSync(checkpoint(trial), "utf8")).state.epoch, 1);
    }
  },
);

for (const action of ["prune", "pause"]) {
  test(
    `a trial told to ${action} logs its epoch, writes a checkpoint and exits 0`,
    python,
    async () => {
      using trial = makeTrial();
      trial.sendSignal(`${action}\n`);
      const ended = await trial.train(...SMALL);
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.match(ended.stdout, new RegExp(`herd asks trial 3 to stop \\(${action}\\)`));
      assert.equal(JSON.parse(readFileSync(checkpoint(trial), "utf8")).state.epoch, 1);
      for (const metric of ["train_loss", "val_loss", "val_accuracy"]) {
        assert.deepEqual(trial.stream(metric).map((record) => record.step), [1]);
      }
      assert.ok(!existsSync(trial.result("3.json")));
      writeFileSync(trial.result("3", "_signal"), "");
      using whole = makeTrial();
      await whole.train(...SMALL);
      assert.equal((await trial.train(...SMALL)).exitCode, 0);
      assert.deepEqual(trial.final(), whole.final());
    },
  );
}

test("a checkpoint that is damaged or of other settings is not used", python, async () => {
  using trial = makeTrial();
  await trial.train(...SMALL);
  const again = await trial.train(...SMALL, "learning_rate=0.02");
  assert.match(again.stdout, /another learning_rate, beginning anew/);
  writeFileSync(checkpoint(trial), '{"options": {"hid');
  const damaged = await trial.train(...SMALL);
  assert.equal(damaged.exitCode, 0, damaged.stderr);
  assert.match(damaged.stdout, /cannot read the checkpoint, beginning anew/);
  assert.match((await trial.train(...SMALL)).stdout, /^going on after epoch 6, row 0\ndone/);
});

test("chaos=crash ends with a traceback and code 1", python, async () => {
  using trial = makeTrial();
  const ended = await trial.train(...SMALL, "chaos=crash");
  assert.equal(ended.exitCode, 1);
  assert.match(ended.stderr, /^Traceback [^]*RuntimeError: chaos=crash/);
});

test("chaos=exit:N ends with that code and no traceback", python, async () => {
  for (const code of [0, 7, 200]) {
    using trial = makeTrial();
    const ended = await trial.train(...SMALL, `chaos=exit:${code}`);
    assert.equal(ended.exitCode, code);
    assert.equal(ended.stderr, "");
  }
});

test(
  "chaos=nan diverges for real: NaN in the streams and in the final result",
  python,
  async () => {
    using trial = makeTrial();
    const ended = await trial.train(...SMALL, "chaos=nan");
    assert.equal(ended.exitCode, 0, ended.stderr);
    const losses = trial.stream("train_loss").map((record) => record.value as unknown);
    assert.deepEqual(losses.map((value) => value === "NaN"), [
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
    assert.equal(trial.final()["loss"], "NaN");
  },
);

test("chaos=oom takes memory until it is denied", python, async () => {
  using trial = makeTrial();
  const command = `ulimit -v 400000; exec "$@"`;
  const ended = await runProcess(
    ["bash", "-c", command, "bash", PYTHON, join(EXAMPLE, "train.py"), ...SMALL, "chaos=oom"],
    { cwd: trial.workspace, env: trial.env, timeoutMs: 60_000 },
  );
  assert.equal(ended.exitCode, 1, ended.stderr);
  assert.match(ended.stderr, /MemoryError/);
});

for (const [chaos, signal] of [["hang", "SIGTERM"], ["ignore-term", "SIGKILL"]] as const) {
  test(`chaos=${chaos} falls silent and ends by ${signal}`, python, async () => {
    using trial = makeTrial();
    const child = spawn(
      PYTHON,
      [join(EXAMPLE, "train.py"), ...SMALL, `chaos=${chaos}`, "chaos_epoch=2"],
      { cwd: trial.workspace, env: trial.env, stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = new Promise((resolve) => child.on("close", (_, by) => resolve(by)));
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (!line.startsWith("epoch 1/")) continue;
      // It falls silent halfway through the next epoch: when it uses no more processor time.
      await idle(child.pid!);
      if (chaos === "ignore-term") {
        for (const each of ["SIGTERM", "SIGINT", "SIGUSR1"] as const) {
          process.kill(child.pid!, each);
        }
        await idle(child.pid!);
        assert.equal(child.exitCode ?? child.signalCode, null, "it lives on");
      }
      process.kill(child.pid!, signal);
    }
    assert.equal(await ended, signal);
    assert.equal(lines.length, 2);
  });
}

// process.kill throughout: after child.kill, Deno reports that signal whatever the child did.

/** Resolves once the process is asleep in two looks and used no processor time in between. */
async function idle(pid: number) {
  let last = "";
  for (;;) {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    const now = `${fields[0]} ${fields[11]} ${fields[12]}`;
    if (now === last && now.startsWith("S")) return;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("chaos strikes only in the chosen trials and runs", python, async () => {
  using trial = makeTrial(5);
  for (const [trials, code] of [["3,4", 0], ["5", 9], ["1-4", 0], ["4-6", 9], ["[1,5]", 9]]) {
    const name = `experiment_name=t${String(trials).replace(/\W/g, "_")}`;
    const ended = await trial.train(...SMALL, name, "chaos=exit:9", `chaos_trials=${trials}`);
    assert.equal(ended.exitCode, code, `${trials}: ${ended.stderr}`);
  }
  const options = [...SMALL, "chaos=exit:9", "chaos_runs=2"];
  assert.equal((await trial.train(...options)).exitCode, 9);
  assert.equal((await trial.train(...options)).exitCode, 9);
  assert.equal((await trial.train(...options)).exitCode, 0);
});

test(
  "overrides that make no sense are refused with code 2 and what would be right",
  python,
  async () => {
    using trial = makeTrial();
    for (
      const [override, reason] of [
        ["chaos=bogus", /allowed are none, oom, hang/],
        ["chaos=exit:256", /exit:N \(0 to 255\)/],
        ["chaos=signal:NOPE", /signal:NAME/],
        ["chaos=crash:1", /is not known/],
        ["chaos_trials=x", /invalid literal/],
        ["hiden=3", /unknown: hiden; known are .*hidden/],
        ["epochs=many", /epochs=many: a whole number is wanted/],
        ["learning_rate=$(id)", /a number is wanted/],
        ["experiment_name=../up", /a folder's name is wanted/],
      ] as const
    ) {
      const ended = await trial.train(override);
      assert.equal(ended.exitCode, 2, override);
      assert.match(ended.stderr, reason);
      assert.doesNotMatch(ended.stderr, /Traceback/);
    }
  },
);

test("the trainer runs by hand, outside of any trial", python, async () => {
  using trial = makeTrial();
  const { HYPERHERD_WORKSPACE: _, HYPERHERD_TRIAL_ID: __, ...env } = trial.env;
  const ended = await runProcess([PYTHON, join(EXAMPLE, "train.py"), "epochs=1", "hidden=0"], {
    cwd: trial.workspace,
    env,
  });
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.ok(!existsSync(trial.result()));
});

test(
  "launch.sh starts the trainer with the overrides, which gets signals itself",
  python,
  async () => {
    using trial = makeTrial();
    const tokens = [...SMALL, "chaos=signal:TERM"];
    const ended = await runProcess([join(EXAMPLE, "launch.sh"), tokens.join(" "), ...tokens], {
      cwd: trial.workspace,
      env: { ...trial.env, PYTHON },
    });
    assert.equal(ended.exitCode, 75, ended.stderr);
    assert.ok(existsSync(checkpoint(trial)));
  },
);

test("the data in the repository are what make_data.py makes", python, async () => {
  const made = await runProcess([PYTHON, join(EXAMPLE, "make_data.py")]);
  assert.equal(made.stdout, readFileSync(join(EXAMPLE, "waveform.csv"), "utf8"));
  assert.ok(made.stdout.length < 60_000);
});

test("the example's helper is the one that init writes", () => {
  const folder = new URL("../../../", import.meta.url);
  const read = (path: string) => readFileSync(new URL(path, folder), "utf8");
  assert.equal(read("example/herd_results.py"), read("commands/init/herd_results.py"));
});

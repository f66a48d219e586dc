import assert from "node:assert/strict";
import test from "node:test";
import { inWorkspace } from "../../support/query-workspace.ts";

const YAML = `
name: t
scheduler: local
launcher: launch.sh
grid: all
parameters:
  lr: {type: discrete, values: [0.1, 0.2, 0.30000001]}
  opt: {type: discrete, values: ["sgd", "a\\t\\"b\\""], labels: [sgd, odd], default: sgd}
successive_halving: {metric: acc, direction: max, min_steps: 1, budget: 4}
`;
const result = (index: number) => `.hyperherd/results/${index}.json`;
const stream = (index: number, metric: string) =>
  `.hyperherd/results/${index}/stream/${metric}.jsonl`;

test("res is a table of all trials and their final results, with cells quoted where they need it", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }, { index: 1 }, { index: 4 }]);
    write(result(0), '{"acc": 0.123456789, "n": 1234567, "note": "two\\nlines"}');
    write(result(1), '{"acc": NaN, "loss": 2}');
    write(stream(1, "loss"), '{"step": 1, "value": 9, "ts": 1}\n');
    write(
      stream(4, "val/acc"),
      '{"step": 1, "value": 0.5, "ts": 1}\n{"step": 2, "value": 0.75, "ts": 2}\n',
    );
    const { stdout, code, stderr } = await herd(["res"]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.equal(
      stdout,
      "trial_id\texperiment_name\tlr\topt\tacc\tn\tnote\tloss\n" +
        '0\tlr-0.1_opt-sgd\t0.1\tsgd\t0.123457\t1234567\t"two\nlines"\t\n' +
        '1\tlr-0.1_opt-odd\t0.1\t"a\t""b"""\tnan\t\t\t2\n' +
        "2\tlr-0.2_opt-sgd\t0.2\tsgd\t\t\t\t\n" +
        '3\tlr-0.2_opt-odd\t0.2\t"a\t""b"""\t\t\t\t\n' +
        "4\tlr-0.3_opt-sgd\t0.30000001\tsgd\t\t\t\t\n" +
        '5\tlr-0.3_opt-odd\t0.30000001\t"a\t""b"""\t\t\t\t\n',
    );
    const csv = (await herd(["res", "--csv", "--pin", "lr=0.1", "opt=sgd"])).stdout;
    assert.equal(
      csv,
      'trial_id,experiment_name,lr,opt,acc,n,note\n0,lr-0.1_opt-sgd,0.1,sgd,0.123456789,1234567,"two\nlines"\n',
    );
    const last = (await herd(["res", "--last", "--csv"])).stdout.split("\n");
    assert.equal(last[0], "trial_id,experiment_name,lr,opt,acc,n,note,loss,val/acc");
    assert.match(last[3]!, /,nan,,,2,$/, "a final result is not replaced by a point of its curve");
    assert.match(last[6]!, /^4,.*,,,,,0\.75$/);
    // A pin that leaves no final result does not make the sweep one without any.
    const pinned = await herd(["res", "--csv", "--pin", "lr=0.30000001", "opt=sgd"]);
    assert.match(pinned.stdout, /^trial_id,experiment_name,lr,opt\n4,/);
    assert.match(pinned.stderr, /no results of trials with/);
    assert.equal((await herd(["res", "--last", "--steps"])).code, 2);
  }));

test("res of a sweep without any final result shows what was logged last, and says so", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }, { index: 1 }]);
    write(stream(1, "acc"), '{"step": 1, "value": 0.5, "ts": 1}\n');
    write(stream(0, "acc"), '{"step": 1, "value": 0.25, "ts": 1}\n');
    const said = await herd(["res", "--csv"]);
    assert.match(
      said.stdout,
      /^trial_id,experiment_name,lr,opt,acc\n0,lr-0\.1_opt-sgd,0\.1,sgd,0\.25\n/,
    );
    assert.match(
      said.stderr,
      /Note: No trial has a final result yet; shown is what was logged last/,
    );
    const asked = await herd(["res", "--last"]);
    assert.equal(asked.stderr, "");
    const { trials } = (await herd(["res", "--json"])).json() as {
      trials: Record<string, unknown>[];
    };
    assert.deepEqual(trials.map(({ metrics, last }) => [metrics, last]).slice(0, 3), [
      [{}, { acc: 0.25 }],
      [{}, { acc: 0.5 }],
      [{}, {}],
    ]);
    const best = await herd(["res", "--best"]);
    assert.match(best.stdout, /^1 +1 +0\.5 [^]*^2 +0 +0\.25 /m);
    assert.match(best.stderr, /No trial has a final result "acc"; ranked by what was logged last/);
  }));

test("res --best ranks final results, and points of a curve beside them only with --last", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }, { index: 1 }, { index: 2 }]);
    write(result(0), '{"acc": 0.5}');
    write(result(1), '{"acc": 0.6}');
    write(stream(1, "acc"), '{"step": 1, "value": 0.99, "ts": 1}\n');
    write(stream(2, "acc"), '{"step": 1, "value": 0.9, "ts": 1}\n');
    const indices = async (...more: string[]) => {
      const document = (await herd(["res", "--best", "--json", ...more])).json();
      return (document as { trials: { index: number }[] }).trials.map(({ index }) => index);
    };
    assert.deepEqual(await indices(), [1, 0]);
    assert.deepEqual(await indices("--last"), [2, 1, 0]);
  }));

test("res --json has HyperHerd's keys; NaN, which JSON lacks, is text", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 1 }]);
    write(result(1), '{"acc": NaN, "list": [1, Infinity]}');
    const { trials } = (await herd(["res", "--json"])).json() as { trials: unknown[] };
    assert.equal(trials.length, 6);
    assert.deepEqual(trials.slice(0, 2), [
      {
        index: 0,
        experiment_name: "lr-0.1_opt-sgd",
        params: { lr: 0.1, opt: "sgd" },
        metrics: {},
        last: null,
      },
      {
        index: 1,
        experiment_name: "lr-0.1_opt-odd",
        params: { lr: 0.1, opt: 'a\t"b"' },
        metrics: { acc: "NaN", list: [1, "Infinity"] },
        last: null,
      },
    ]);
  }));

test("G.1.11: torn and odd results files cost a notice, never the command", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }, { index: 1 }, { index: 2 }]);
    write(result(0), '{"acc": 0.5, "loss": 0.');
    write(result(1), "");
    write(result(2), "[1, 2]");
    write(".hyperherd/results/notes.json", "{}");
    write(".hyperherd/results/77.json", '{"acc": 1}');
    write(stream(0, "curve"), '{"step": 1, "value": 3, "ts": 5}\nrubbish\n{"step": 2, "va');
    const said = await herd(["res"]);
    assert.equal(said.code, 0);
    assert.match(said.stdout, /^0\tlr-0\.1_opt-sgd\t0\.1\tsgd\t0\.5$/m);
    assert.match((await herd(["res", "--last"])).stdout, /^0\t.*\tsgd\t0\.5\t3$/m);
    for (const index of [0, 1, 2]) {
      assert.match(said.stderr, new RegExp(`results.*trial ${index} `));
    }
    assert.match(said.stderr, /Results of 77 belong to no trial/);
    const steps = await herd(["res", "--steps"]);
    assert.equal(steps.code, 0);
    assert.match(steps.stderr, /1 line of 1 stream could not be read/);
    assert.equal((await herd(["snapshot"])).code, 0);
  }));

test("res --steps is CSV by trial, metric and step, the later record of a step", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }, { index: 1 }]);
    write(
      stream(1, "b"),
      '{"step": 2, "value": 1, "ts": 1700000000.9}\n{"step": 1, "value": NaN, "ts": 1700000001}\n' +
        '{"step": 2, "value": 0.1234567890123, "ts": 1700000005}\n',
    );
    write(stream(1, 'a,"x"'), '{"step": 1, "value": "t,e", "ts": "never"}\n');
    const { stdout } = await herd(["res", "--steps"]);
    assert.equal(
      stdout,
      "trial_id,step,metric,timestamp,value\n" +
        '1,1,"a,""x""",,"t,e"\n' +
        "1,1,b,2023-11-14T22:13:21Z,NaN\n" +
        "1,2,b,2023-11-14T22:13:25Z,0.1234567890123\n",
    );
    assert.deepEqual((await herd(["res", "--steps", "--metric", "b", "--json"])).json(), {
      rows: [
        { trial_id: 1, step: 1, metric: "b", timestamp: "2023-11-14T22:13:21Z", value: "NaN" },
        {
          trial_id: 1,
          step: 2,
          metric: "b",
          timestamp: "2023-11-14T22:13:25Z",
          value: 0.1234567890123,
        },
      ],
    });
  }));

test("res --best ranks by the metric of successive_halving, what diverged last", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([0, 1, 2, 3].map((index) => ({ index })));
    [0.5, "NaN", 0.9, 0.5].forEach((acc, i) => write(result(i), `{"acc": ${acc}, "loss": ${i}}`));
    const { trials, metric, direction } = (await herd(["res", "--best", "--json"])).json() as {
      metric: string;
      direction: string;
      trials: Record<string, unknown>[];
    };
    assert.deepEqual([metric, direction], ["acc", "max"]);
    assert.deepEqual(trials.map(({ index }) => index), [2, 0, 3, 1]);
    assert.deepEqual(trials[3], {
      rank: 4,
      index: 1,
      experiment_name: "lr-0.1_opt-odd",
      params: { lr: 0.1, opt: 'a\t"b"' },
      value: null,
      metrics: { acc: "NaN", loss: 1 },
    });
    for (const argv of [["--best", "1"], ["--best=1"], ["-b1"], ["-b", "1"]]) {
      const { stdout } = await herd(["res", ...argv, "."]);
      assert.equal(stdout.trimEnd().split("\n").length, 2, argv.join(" "));
      assert.match(stdout, /^1 +2 +0\.9 /m);
    }
    const low = await herd([
      "res",
      "--best",
      "2",
      "--metric",
      "loss",
      "--direction",
      "min",
      "--csv",
    ]);
    assert.deepEqual(low.stdout.split("\n").map((line) => line.split(",")[1]), [
      "trial_id",
      "0",
      "1",
      undefined,
    ]);
  }));

test("res --best asks for what it cannot know", () =>
  inWorkspace(YAML.replace(/successive_halving.*\n/, ""), async ({ herd, ran, write }) => {
    await ran([{ index: 0 }]);
    write(result(0), '{"acc": 1, "loss": 2}');
    assert.match((await herd(["res", "--best"])).error!.message, /no metric was named/);
    const undirected = await herd(["res", "--best", "-m", "loss"]);
    assert.equal(undirected.code, 2);
    assert.match(undirected.error!.message, /small or large/);
    const unknown = await herd(["res", "--best", "-m", "losss", "--direction", "min"]);
    assert.match((unknown.error as Error & { hint: string }).hint, /Did you mean "loss"/);
    assert.equal((await herd(["res", "--best", "--steps"])).code, 2);
  }));

test("res --best averages repeats over their seeds", () =>
  inWorkspace(
    YAML.replace("successive_halving", "repeats: 3\nsuccessive_halving").replace(
      / {2}opt:.*\n/,
      "",
    ),
    async ({ herd, ran, write }) => {
      await ran([0, 1, 2, 3, 4, 6].map((index) => ({ index })));
      [1, 2, 3, 5, 7].forEach((acc, i) => write(result(i), `{"acc": ${acc}}`));
      write(result(6), '{"acc": Infinity}');
      assert.deepEqual((await herd(["res", "--best", "--json"])).json(), {
        metric: "acc",
        direction: "max",
        repeats: "seed",
        groups: [
          {
            rank: 1,
            indices: [3, 4],
            params: { lr: 0.2 },
            mean: 6,
            std: Math.SQRT2,
            n: 2,
            repeats: 3,
          },
          { rank: 2, indices: [0, 1, 2], params: { lr: 0.1 }, mean: 2, std: 1, n: 3, repeats: 3 },
          {
            rank: 3,
            indices: [6],
            params: { lr: 0.30000001 },
            mean: null,
            std: null,
            n: 1,
            repeats: 3,
          },
        ],
      });
      assert.match((await herd(["res", "--best"])).stdout, /^1 +6 +1\.41421 +2\/3 +0\.2 +3-4$/m);
    },
  ));

test("before the first run the table has the trials to come, and it is said that there are no results", () =>
  inWorkspace(YAML, async ({ herd }) => {
    const said = await herd(["res"]);
    assert.equal(said.code, 0);
    assert.match(
      said.stdout,
      /^trial_id\texperiment_name\tlr\topt\n0\tlr-0\.1_opt-sgd\t0\.1\tsgd\n/,
    );
    assert.match(said.stderr, /There are no results yet/);
    const { trials } = (await herd(["res", "--json"])).json() as { trials: unknown[] };
    assert.equal(trials.length, 6);
    assert.equal((await herd(["res", "--best"])).code, 1);
  }));

test("a metric that is called like a parameter has a column title of its own", () =>
  inWorkspace(YAML, async ({ herd, ran, write }) => {
    await ran([{ index: 0 }]);
    write(result(0), '{"lr": 0.5, "acc": 1, "trial_id": 7}');
    const head = (await herd(["res", "--csv"])).stdout.split("\n")[0];
    assert.equal(head, "trial_id,experiment_name,lr,opt,metric:lr,acc,metric:trial_id");
    const best = await herd(["res", "--best", "-m", "lr", "--direction", "min", "--csv"]);
    assert.match(best.stdout, /^rank,trial_id,metric:lr,lr,opt,experiment_name\n1,0,0\.5,0\.1,/);
  }));

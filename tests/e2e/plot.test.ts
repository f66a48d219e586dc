import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeHome } from "../support/daemon.ts";
import { herd, makeSweep } from "../support/herd.ts";

const LAUNCHER = `#!/bin/bash
stream=.hyperherd/results/$HYPERHERD_TRIAL_ID/stream
mkdir -p "$stream"
for i in 1 2 3 4; do
  printf '{"step": %s, "value": %s, "ts": %s}\\n' $i "0.$((9 - i - HYPERHERD_TRIAL_ID))" $i >> "$stream/loss.jsonl"
  printf '{"step": %s, "value": null, "ts": %s}\\n' $i $i >> "$stream/broken.jsonl"
done
`;

/** Width and height, from the PNG's own header. */
function sizeOf(path: string): { width: number; height: number } {
  const bytes = readFileSync(path);
  assert.equal(bytes.toString("latin1", 1, 4), "PNG");
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

test("herd plot draws each kind of picture in the binary, and says what it cannot draw", async (t) => {
  const home = makeHome({ NO_COLOR: "1" });
  const sweep = makeSweep({
    yaml: `name: plots
launcher: ./launch.sh
scheduler: local
slurm: {partition: none, time: 5, mem: 50M}
grid: all
parameters:
  lr: {type: discrete, values: [0.1, 0.01, 0.001]}
  opt: {type: discrete, values: [adam, sgd]}
`,
    launcher: LAUNCHER,
  }, "herd-plot-");
  t.after(async () => {
    await herd(["clean", sweep.path, "--all", "--yes"], { env: home.env });
    sweep.remove();
    home.remove();
  });
  const run = await herd(["run", sweep.path, "--wait"], { env: home.env });
  assert.equal(run.code, 0, run.stdout + run.stderr);
  const plot = (...args: string[]) =>
    herd(["plot", "loss", sweep.path, ...args], { env: home.env });

  const kinds: string[][] = [
    ["--kind", "curves"],
    ["--kind", "best", "--theme", "dark"],
    ["--kind", "parameter", "--parameter", "lr"],
    ["--kind", "parallel"],
    ["--trials", "0,2-3", "--smooth", "2"],
  ];
  for (const [i, kind] of kinds.entries()) {
    const file = join(sweep.path, `${i}.png`);
    const drawn = await plot(...kind, "--out", file);
    assert.equal(drawn.code, 0, drawn.stderr);
    assert.match(drawn.stdout, /loss/);
    const { width, height } = sizeOf(file);
    assert.ok(width >= 800 && width <= 2_000 && height >= 400, `${width}x${height}`);
  }
  const again = await plot("--out", join(sweep.path, "0.png"));
  assert.notEqual(again.code, 0);
  assert.match(again.stderr, /it is there already/);
  const forced = await plot("--out", join(sweep.path, "0.png"), "--force", "--json");
  assert.equal(JSON.parse(forced.stdout).file, join(sweep.path, "0.png"));

  const file = join(sweep.path, "none.png");
  const wrongs: [string[], RegExp][] = [
    [["plot", "nothing", sweep.path, "--out", file], /nothing/],
    [["plot", "broken", sweep.path, "--out", file], /broken/],
    [["plot", "loss", sweep.path, "--kind", "pie", "--out", file], /Allowed are curves, best/],
    [
      ["plot", "loss", sweep.path, "--kind", "parameter", "--parameter", "lrr", "--out", file],
      /lr/,
    ],
    [["plot", "loss", sweep.path, "--trials", "99", "--out", file], /99/],
  ];
  for (const [args, why] of wrongs) {
    const { code, stderr, stdout } = await herd(args, { env: home.env });
    assert.notEqual(code, 0, args.join(" "));
    assert.match(stderr + stdout, why);
    assert.ok(!existsSync(file), args.join(" "));
  }
});

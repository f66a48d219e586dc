import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { postsOf, untilTrue as untilHolds } from "../support/daemon.ts";
import { type StatusDocument, statusOf } from "../support/herd.ts";
import { PARTITION, slurm, unlessStarted, withoutSlurm } from "../support/slurm.ts";
import { openSlurmElsewhere, type SlurmElsewhereScene } from "../support/slurm-elsewhere-scene.ts";
import { withoutSshd } from "../support/sshd.ts";
import { tree } from "../support/tree.ts";

const SKIP = { skip: withoutSshd || withoutSlurm };

/** What each trial does; one that ran out of time, or was paused, is quick the second time. */
const LAUNCHER = `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID $HERD_ATTEMPT" >> ledger.txt
cat "src dir/it's.txt" >&2
own=.hyperherd/results/$HYPERHERD_TRIAL_ID
mkdir -p "$own/stream"
log() { printf '{"step": %s, "value": %s, "ts": %s}\\n' "$1" "$2" "$(date +%s.%N)" >> "$own/stream/loss.jsonl"; }
first() { [ "$HERD_ATTEMPT" = 1 ]; }
case "$1" in
  *do=flaky*) first && { python3 -c 'raise ValueError("bad start 17")'; exit 1; } ;;
  *do=oom*) python3 -c "
import time
x = bytearray(75 << 20)
for i in range(0, len(x), 4096): x[i] = 1
time.sleep(2)" || exit $? ;;
  *do=slow*) first && { log 1 0.9; sleep 300; } ;;
  *do=nan*) for i in 1 2 3 4; do log $i NaN; done; sleep 300; exit 1 ;;
  *do=hold*) first && { until [ -e "$own/_signal" ]; do sleep 0.2; done; cat "$own/_signal" > "told.$HYPERHERD_TRIAL_ID"; exit 0; } ;;
  *do=endless*) log 1 0.5; sleep 300; exit 1 ;;
esac
for i in 1 2 3; do log $i 0.$((5 - i)); sleep 0.3; done
"$HERD_BIN" log loss 0.125
`;

function yaml(name: string, slurmLines: string, values: readonly string[]): string {
  return `name: ${name}
launcher: ./launch.sh
slurm:
${slurmLines}  partition: ${PARTITION}
  time: 3
  mem: 60M
sync: [src dir/]
remediation: {mode: remediate}
monitor: {objective: minimize loss, interview: false}
prune_grace_seconds: 3
grid: all
parameters:
  do: {type: discrete, values: [${values.join(", ")}]}
`;
}

const PATIENCE_MS = 70_000;

function untilTrue(what: string, holds: () => boolean | Promise<boolean>, told: () => string) {
  return untilHolds(what, holds, told, PATIENCE_MS);
}

async function elsewhere(act: (scene: SlurmElsewhereScene) => Promise<void>): Promise<void> {
  await using scene = await openSlurmElsewhere(LAUNCHER);
  scene.write("src dir/it's.txt", "code from here\n");
  try {
    await act(scene);
  } finally {
    // No job of a test that failed stays on the cluster.
    await scene.herd("stop", "--all");
    await scene.herd("monitor", "--stop");
  }
}

function trial(status: StatusDocument, index: number) {
  return status.trials.find((one) => one.index === index)!;
}

/** A file of the workspace there; empty where it is not. */
function textThere({ there }: SlurmElsewhereScene, name: string): string {
  const path = join(there, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

async function done(scene: SlurmElsewhereScene, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await scene.herd(...words);
  assert.equal(code, 0, `herd ${words.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** What jobs wrote, with a digest of each file: not what they were told, nor their locks. */
function written(root: string): string[] {
  return ["events", "logs", "results"].flatMap((name) =>
    tree(join(root, ".hyperherd", name)).filter((line) => !/_signal |_lock\/|\/$/.test(line))
      .map((line) => `${name}/${line}`)
  );
}

const WHOLE = ["flaky", "slow", "oom", "ok", "nan", "hold", "endless"];
const EXPECTED = ["completed", "completed", "completed", "completed", "pruned", "completed"];
const ATTEMPTS = "0 1, 0 2, 1 1, 1 2, 2 1, 2 2, 3 1, 4 1, 5 1, 5 2, 6 1".split(", ");

test(
  "a whole sweep from a laptop without SLURM, its path another one there",
  SKIP,
  () =>
    elsewhere(async (scene) => {
      const { env, here, there, write } = scene;
      const place = `  host: login\n  path: ${JSON.stringify(there)}\n`;
      write("hyperherd.yaml", yaml("far", place, WHOLE));
      await done(scene, "monitor", "--detach", "--no-agent");
      const told = () => postsOf(here).join("\n");
      const ledger = () => textThere(scene, "ledger.txt").trim().split("\n").sort();
      const runs = (line: string) =>
        untilTrue(`${line} runs there`, () => ledger().includes(line), told);
      await runs("1 1");
      const job = trial(await statusOf(here, env), 1).job_id!;
      await slurm(["scontrol", "update", `JobId=${job}`, "EndTime=now+1"]).catch(unlessStarted);
      await Promise.all(["5 1", "6 1"].map(runs));

      // What is typed here reaches what runs there.
      await done(scene, "pause", "-i", "5");
      await done(scene, "stop", "-i", "6");
      await untilTrue("the trial is told to pause", () => textThere(scene, "told.5") !== "", told);
      assert.match(textThere(scene, "told.5"), /pause/);
      await untilTrue(
        "it is paused",
        async () => trial(await statusOf(here, env), 5).status === "paused",
        told,
      );
      await done(scene, "resume", "-i", "5");

      await untilTrue(
        "the sweep is over",
        async () => {
          const status = await statusOf(here, env);
          return status.trials.slice(0, 6).every((one, i) => one.status === EXPECTED[i]);
        },
        told,
      );
      assert.deepEqual(ledger(), ATTEMPTS, "no attempt twice, none too many");
      assert.match(readFileSync(join(here, "hyperherd.yaml"), "utf8"), /mem: 90M/);
      await done(scene, "monitor", "--stop");
      await assertSeenHere(scene);
    }),
);

/** What ran there, as the commands here tell of it. */
async function assertSeenHere(scene: SlurmElsewhereScene): Promise<void> {
  const { env, here, there } = scene;
  assert.ok(written(there).length > 20);
  assert.deepEqual(written(here), written(there), "byte for byte");
  const { trials } = await statusOf(here, env);
  assert.deepEqual(trials.map(({ status }) => status), [...EXPECTED, "cancelled"]);
  assert.ok(trials.every(({ node }) => node !== null && node !== ""), "where each ran");
  assert.match(await done(scene, "tail", "3", "--stderr"), /code from here/);
  assert.match(await done(scene, "tail", "0", "--stderr"), /ValueError: bad start 17[^]*=====/);
  const results = await done(scene, "res");
  assert.match(results, /^3\tdo-ok\tok\t0\.125$/m);
  assert.match(await done(scene, "res", "--steps"), /^2,3,loss,[^,]+,0\.2$/m);
  assert.match(await done(scene, "stats"), /memory/i);
  await done(scene, "plot", "loss");
  assert.ok(existsSync(join(here, "plot.png")));
  assert.match(await done(scene, "check"), /to SLURM on login/);
  await done(scene, "clean", "--logs", "--yes");
  await statusOf(here, env);
  assert.deepEqual(tree(join(here, ".hyperherd/logs")), [], "nothing comes again");
  assert.deepEqual(tree(join(there, ".hyperherd/logs")), []);
}

test(
  "--host needs no word in the YAML, and check asks there without a trace",
  SKIP,
  () =>
    elsewhere(async (scene) => {
      const { env, here, reach, write } = scene;
      write("hyperherd.yaml", yaml("flag", "", ["ok", "endless"]));
      const home = () =>
        tree(reach.there).filter((line) => !/^(state|\.profile|\.local)/.test(line));
      const before = home();
      const checked = JSON.parse(await done(scene, "check", "--host", "login", "--json"));
      assert.deepEqual([checked.host.name, checked.host.files], ["login", 3]);
      assert.equal(checked.host.path, join(reach.there, "herd/flag"));
      assert.equal(checked.limits.accounting, true);
      assert.match(await done(scene, "run", "--host", "login", "-n"), /Would submit 2 of 2 trials/);
      assert.deepEqual(home(), before, "neither leaves anything there");
      assert.ok(!existsSync(join(here, ".hyperherd")), "nor here");
      const wrong = yaml("flag", "", ["ok"]).replace(`partition: ${PARTITION}`, "partition: none");
      write("hyperherd.yaml", wrong);
      const refused = await scene.herd("check", "--host", "login");
      assert.equal(refused.code, 2, refused.stdout + refused.stderr);
      assert.match(refused.stdout, /✗ .*partition "none" does not exist/);
      write("hyperherd.yaml", yaml("flag", "", ["ok", "endless"]));
      const alone = await scene.herd("run", "--slurm");
      assert.match(alone.stderr, /"sbatch" is not on the PATH of this machine/);

      await done(scene, "run", "--host", "login");
      await untilTrue(
        "a value of what runs there is seen here, though no monitor runs and nobody looks",
        async () => /^1,1,loss,/m.test((await scene.herd("res", "--steps")).stdout),
        () => "",
      );
      await untilTrue(
        "both have run",
        async () => {
          const { trials } = await statusOf(here, env);
          return trials.map(({ status }) => status).join() === "completed,running";
        },
        () => "",
      );
      const moved = await scene.herd("run", "--host", "");
      assert.equal(moved.code, 3, moved.stderr);
      assert.match(moved.stderr, /jobs of it live on "login"/);
      await done(scene, "monitor", "--host", "login", "--once", "--no-agent");
      assert.match(postsOf(here).join("\n"), /tick clean — 1 running, 1 completed/);
      assert.match(await done(scene, "doctor"), /SLURM \d\d\.[^]*Accounting answers/);
      await done(scene, "clean", "--all", "--yes");
      assert.ok(
        !existsSync(join(here, ".hyperherd")) &&
          !existsSync(join(reach.there, "herd/flag/.hyperherd")),
      );
      assert.ok(
        existsSync(join(reach.there, "herd/flag/launch.sh")),
        "what herd does not keep stays",
      );
    }),
);

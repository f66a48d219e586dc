import assert from "node:assert/strict";
import { test } from "node:test";
import {
  auditOf,
  eventsOf,
  makeHome,
  postsOf,
  startMonitor,
  untilTrue,
} from "../support/daemon.ts";
import type { RunningMonitor } from "../support/daemon.ts";
import { herd, makeSweep, statusOf } from "../support/herd.ts";
import { LAST_NODE, PARTITION, slurm, withoutSlurm } from "../support/slurm.ts";
import { createTogether } from "../support/together.ts";

const SKIP = { skip: withoutSlurm };
const together = createTogether();

/** `bug`: raises until there is a file "mended", from a path and with a number of its own. */
const LAUNCHER = `#!/bin/bash
echo "$HYPERHERD_TRIAL_ID $HERD_ATTEMPT" >> ledger.txt
case "$1" in
  *do=bug*) [ -e mended ] || {
    printf 'Traceback (most recent call last):\\n  File "/run/%s/t.py", line 7, in load\\nKeyError: %s\\n' \\
      "$HYPERHERD_TRIAL_ID" "'column'" >&2
    exit 1
  } ;;
  *do=stay*) [ "$HERD_ATTEMPT" = 1 ] && { echo "epoch 1 loss=0.5"; exec sleep 300; } ;;
esac
echo "epoch 1 loss=0.4"
`;

interface Options {
  name: string;
  mode: "remediate" | "notify";
  values: readonly string[];
  slurmMore?: string;
}

function yaml({ name, mode, values, slurmMore = "" }: Options): string {
  return `# stays as it is
name: ${name}
launcher: ./launch.sh
scheduler: slurm
slurm: {partition: ${PARTITION}, time: 5, mem: 50M${slurmMore}}
remediation: {mode: ${mode}}
monitor: {objective: none}
grid: all
parameters:
  do: {type: discrete, values: [${values.join(", ")}]}
`;
}

interface Scene {
  sweep: ReturnType<typeof makeSweep>;
  env: Record<string, string>;
  /** An action through the API, as a person takes it. */
  act(verb: string, body: Record<string, unknown>): Promise<void>;
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** That the monitor ends by itself. */
  end(): Promise<{ code: number | null; output: string }>;
  ledger(): string[];
  decisions(): string[];
}

/** A sweep that its monitor has begun; nothing of either is left afterwards. */
async function withMonitor(options: Options, use: (scene: Scene) => Promise<void>): Promise<void> {
  const home = makeHome();
  const { env } = home;
  const sweep = makeSweep({ yaml: yaml(options), launcher: LAUNCHER }, "herd-troubles-");
  const monitor = startMonitor([sweep.path], env);
  try {
    await use({
      sweep,
      env,
      async act(verb, body) {
        const path = `/v1/sweeps/${options.name}/actions/${verb}`;
        const said = await herd(["api", path, "-X", "POST", "-d", JSON.stringify(body)], { env });
        assert.equal(said.code, 0, said.stdout + said.stderr);
      },
      until: (what, holds) => untilTrue(what, holds, monitor.output),
      async end() {
        await untilTrue("the monitor ends", () => !isAlive(monitor), monitor.output);
        return await monitor.ended;
      },
      ledger: () => eventsOf(sweep.path).length === 0 ? [] : ledgerOf(sweep),
      decisions: () =>
        eventsOf(sweep.path).flatMap(({ what }) =>
          what.type === "triaged"
            ? what.verdicts.map((one) => `${one.trial} ${one.failure} ${one.decision}`)
            : []
        ).sort(),
    });
  } finally {
    if (isAlive(monitor)) monitor.kill("SIGKILL");
    await monitor.ended;
    await herd(["stop", sweep.path, "--all"], { env });
    sweep.remove();
    home.remove();
  }
}

function isAlive({ child }: RunningMonitor): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function ledgerOf(sweep: ReturnType<typeof makeSweep>): string[] {
  try {
    return sweep.read("ledger.txt").trim().split("\n").sort();
  } catch {
    return [];
  }
}

function typesOf({ sweep }: Scene): string[] {
  return eventsOf(sweep.path).map(({ what }) => what.type);
}

for (const mode of ["remediate", "notify"] as const) {
  test(
    `G.3 the same exception in two trials halts with ${mode}, nothing is submitted, and continue goes on`,
    SKIP,
    together(() =>
      withMonitor(
        { name: `halts-${mode}`, mode, values: ["ok", "bug1", "bug2", "last"] },
        async (scene) => {
          const { sweep, env, act, until, ledger, decisions, end } = scene;
          await until("it halts", () => typesOf(scene).includes("halted"));
          const once = decisions();
          const halts = once.filter((one) => one.endsWith("halt"));
          assert.ok(halts.length >= 1, `${once}`);
          assert.ok(
            postsOf(sweep.path).some((post) => /halt/i.test(post) && /KeyError/.test(post)),
            postsOf(sweep.path).join("\n"),
          );
          // Whatever a tick could do it would have done when the second one from now has ended.
          const ticks = () => typesOf(scene).filter((type) => type === "ticked").length;
          for (const wanted of [ticks() + 1, ticks() + 2]) {
            await act("tick", {});
            await until("a tick ends", () => ticks() >= wanted);
          }
          const before = ledger();
          assert.ok(!before.some((line) => line.startsWith("3 ")), `the rest waits: ${before}`);
          assert.equal((await statusOf(sweep.path, env)).trials[3]!.status, "ready");

          sweep.write("mended", "");
          await act("continue", { reason: "mended the loader" });
          await until("the halt is over", () => typesOf(scene).includes("unhalted"));
          // The word alone takes the rollout on; what failed runs again when a person says so.
          const again = mode === "remediate";
          if (again) await act("run", { indices: [1, 2], reason: "mended" });
          const { output } = await end();
          const { totals } = await statusOf(sweep.path, env);
          assert.deepEqual(
            totals,
            again ? { total: 4, completed: 4 } : { total: 4, completed: 2, failed: 2 },
            output,
          );
          const added = ledger().filter((line) => !before.includes(line)).map((line) => line[0]);
          assert.deepEqual(added, again ? ["1", "2", "3"] : ["3"], "each that was due ran once");
          assert.equal(sweep.read("hyperherd.yaml").split("\n")[0], "# stays as it is");
          assert.ok(!typesOf(scene).includes("bumped"));
          const unhalted = auditOf(sweep.path).find(({ event }) =>
            event === "unhalted" || event === "continue"
          );
          assert.match(String(unhalted?.["by"]), /^(api|cli):/, JSON.stringify(unhalted));
        },
      )
    ),
  );
}

test(
  "a trial whose node fails is submitted again unchanged, and completes",
  SKIP,
  together(() =>
    withMonitor({
      name: "nodefail",
      mode: "remediate",
      values: ["stay"],
      slurmMore: `, requeue: false, extra_args: [--nodelist=${LAST_NODE}]`,
    }, async (scene) => {
      const { sweep, env, until, ledger, decisions, end } = scene;
      const text = sweep.read("hyperherd.yaml");
      await until("it runs", () => ledger().includes("0 1"));
      // A node whose daemon lives comes back by itself (ReturnToService=2).
      const resume = () =>
        slurm(["scontrol", "update", `nodename=${LAST_NODE}`, "state=resume"]).catch(() => "");
      try {
        await slurm(["scontrol", "update", `nodename=${LAST_NODE}`, "state=down", "reason=test"]);
        await until("it is judged", () => decisions().length > 0);
      } finally {
        await resume();
      }
      const { code, output } = await end();
      assert.equal(code, 0, output);
      assert.deepEqual(decisions(), ["0 infrastructure retry"]);
      assert.deepEqual(ledger(), ["0 1", "0 2"]);
      assert.equal(sweep.read("hyperherd.yaml"), text, "nothing is asked for but the same");
      assert.ok(!typesOf(scene).includes("bumped"));
      const [trial] = (await statusOf(sweep.path, env)).trials;
      assert.deepEqual([trial!.status, trial!.attempts], ["completed", 2]);
    })
  ),
);

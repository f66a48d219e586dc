import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  auditOf,
  eventsOf,
  makeHome,
  postsOf,
  startMonitor,
  untilTrue,
} from "../support/daemon.ts";
import { herd, statusOf } from "../support/herd.ts";
import { startModelServer } from "../support/model-server.ts";
import { removeTree } from "../support/remove-tree.ts";
import { PARTITION, withoutSlurm } from "../support/slurm.ts";
import { createTogether } from "../support/together.ts";

const EXAMPLE = fileURLToPath(new URL("../../example", import.meta.url));
const REPORT = "Learning rates of 0.01 do best.";
const together = createTogether();

interface Ran {
  path: string;
  output: string;
  /** What the model was asked, one line each. */
  asked: readonly string[];
  statuses: readonly string[];
}

/** The bundled sweep with its bundled trainer, run to its end by a monitor with an agent. */
async function runExample(
  change: (yaml: string) => string,
  args: readonly string[],
  use: (ran: Ran) => void,
): Promise<void> {
  const model = await startModelServer([{ reply: { text: REPORT }, times: Infinity }]);
  const home = makeHome({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "sk-ant-test" });
  const path = mkdtempSync(join(tmpdir(), "herd-example-"));
  cpSync(EXAMPLE, path, { recursive: true });
  const file = join(path, "hyperherd.yaml");
  writeFileSync(file, change(readFileSync(file, "utf8")));
  const monitor = startMonitor([path, ...args], home.env);
  const isOver = () => monitor.child.exitCode !== null || monitor.child.signalCode !== null;
  try {
    await untilTrue("the monitor ends", isOver, monitor.output, 180_000);
    const { code, output } = await monitor.ended;
    assert.equal(code, 0, output);
    const { trials } = await statusOf(path, home.env);
    const statuses = trials.map(({ status }) => status);
    use({ path, output, asked: model.requests().map(({ text }) => text), statuses });
  } finally {
    if (!isOver()) monitor.kill("SIGKILL");
    await monitor.ended;
    await herd(["clean", path, "--all", "--yes"], { env: home.env });
    await model.close();
    removeTree(path);
    home.remove();
  }
}

function assertWhole({ path, asked, statuses }: Ran): void {
  assert.equal(statuses.length, 14);
  // What halving leaves to finish depends on who is first; that all come to an end does not.
  const ends = new Set(statuses);
  assert.ok(ends.has("completed"), `${statuses}`);
  for (const status of ends) assert.match(status, /^(completed|pruned)$/);
  const whats = eventsOf(path).map(({ what }) => what);
  const phases = whats.flatMap((what) => what.type === "phase-entered" ? [what.phase] : []);
  assert.deepEqual(phases, ["interviewing", "canary", "stage", "live", "done"]);
  const trialsOf = whats.flatMap((what) => what.type === "phase-entered" ? [what.trials] : []);
  assert.deepEqual(trialsOf.slice(1, 3), [[0], [1, 2]]);
  assert.ok(!whats.some(({ type }) => type === "triaged"), "nothing fails");
  assert.ok(asked.length >= 1, "the agent is asked for the report");
  assert.ok(postsOf(path).some((post) => post.startsWith(REPORT)), postsOf(path).join("\n"));
  assert.match(
    postsOf(path).find((post) => post.startsWith("The sweep is over"))!,
    /Best val_accuracy:\n1\. trial \d+: 0\.\d+/,
  );
  const calls = auditOf(path).filter(({ event }) => event === "model-used").length;
  assert.equal(calls, asked.length, "every call is in the audit");
}

/** As a user asks for the cluster. */
function onSlurm(yaml: string): string {
  return yaml.replace(/^scheduler: local$/m, "scheduler: slurm")
    .replace(/^ {2}# partition: short$/m, `  partition: ${PARTITION}`);
}

test(
  "the bundled sweep runs to its end on SLURM with an agent",
  { skip: withoutSlurm },
  together(() =>
    runExample(onSlurm, [], (ran) => {
      assertWhole(ran);
      const schedulers = eventsOf(ran.path).flatMap(({ what }) =>
        what.type === "submission-intended" ? [what.scheduler] : []
      );
      assert.deepEqual(new Set(schedulers), new Set(["slurm"]));
    })
  ),
);

test(
  "with --local a sweep that is meant for SLURM runs on this machine, and its YAML stays as it is",
  together(() =>
    runExample(onSlurm, ["--local"], (ran) => {
      assertWhole(ran);
      const schedulers = eventsOf(ran.path).flatMap(({ what }) =>
        what.type === "submission-intended" ? [what.scheduler] : []
      );
      assert.deepEqual(new Set(schedulers), new Set(["local"]));
      const yaml = readFileSync(join(ran.path, "hyperherd.yaml"), "utf8");
      assert.equal(yaml, onSlurm(readFileSync(join(EXAMPLE, "hyperherd.yaml"), "utf8")));
    })
  ),
);

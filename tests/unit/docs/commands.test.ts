import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { TABLE } from "../../../commands/table.ts";
import { EXIT_MEANINGS } from "../../../lib/base/exit-codes.ts";
import { STATUSES } from "../../../lib/sweep/status.ts";
import { blocks, withBlocks } from "../../../scripts/docs.ts";
import { inSweep, localYaml, runCommand, runJson, untilStatus } from "../../support/command.ts";
import type { TestWorkspace } from "../../support/command.ts";
import {
  assertDocumented,
  doc,
  keyTables,
  section,
  tables,
} from "../../support/documented-keys.ts";

const PAGE = doc("commands.md");

function tableOf(command: string, title = "") {
  const found = keyTables(section(PAGE, `## herd ${command}`)).find((one) => one.title === title);
  assert.ok(found, `herd ${command} has no table of keys "${title}"`);
  return found;
}

test("docs/commands.md says what the commands say of themselves; deno task docs makes it so", async () => {
  assert.equal(withBlocks(PAGE, await blocks()), PAGE);
});

test("a page that lacks a command, or has one too many, is refused", async () => {
  const made = await blocks();
  assert.throws(
    () => withBlocks(PAGE.replace("generated: herd run ", "generated: herd walk "), made),
    /no block "herd run"/,
  );
  assert.throws(() => withBlocks(PAGE.repeat(2), made), /too much/);
});

test("every command has a section, and a table of what it prints with --json", () => {
  for (const { name, hidden } of TABLE) {
    if (!hidden) assert.ok(tableOf(name).types.size > 0, name);
  }
});

test("every status, cause and exit code is explained", () => {
  const words = tables(section(PAGE, "### Statuses and causes"), ["Cause", "Meaning"])
    .flat().flatMap(([cell = ""]) => cell.split(", ")).map((cell) => cell.replaceAll("`", ""));
  const source = readFileSync(new URL("../../../lib/sweep/attempt.ts", import.meta.url), "utf8");
  const causes = /type Cause =([^;]*);/.exec(source)![1]!.match(/"[a-z-]+"/g)!
    .map((word) => word.slice(1, -1));
  assert.deepEqual([...words].sort(), [...causes].sort());
  const head = ["Status", "Meaning", "a bare `herd run` submits it"];
  const statuses = tables(section(PAGE, "### Statuses and causes"), head)
    .flat().map(([cell = ""]) => cell.replaceAll("`", ""));
  assert.deepEqual([...statuses].sort(), [...STATUSES].sort());
  assert.equal(tables(PAGE, ["Code", "Meaning"]).flat().length, EXIT_MEANINGS.length);
});

const HALVING = `successive_halving: {metric: loss, direction: min, min_steps: 1, budget: 2}
prune_grace_seconds: 60
`;

/** x=1 logs and ends, x=2 fails, the others log one step and wait to be told to end. */
const LAUNCHER = `#!/bin/bash
dir=".hyperherd/results/$HYPERHERD_TRIAL_ID"
mkdir -p "$dir/stream"
x=\${1##*x=}
echo '{"step": 1, "value": '"$x"', "ts": 1767225600.5}' >> "$dir/stream/loss.jsonl"
echo "trial $x"
case $x in
  1) echo '{"accuracy": 0.9}' > "$dir.json" ;;
  2) echo "this went wrong" >&2; exit 3 ;;
  *) for i in {1..600}; do [ -e "$dir/_signal" ] && exit 0; sleep 0.1; done ;;
esac
`;

async function untilStepped(path: string, wanted: string): Promise<void> {
  await untilStatus(path, (all) => all.join(" ") === wanted);
  for (let tries = 0; tries < 100; tries++) {
    const { trials } = await runJson(["status", path]);
    if (trials.every(({ step }: { step: number | null }) => step === 1)) return;
  }
}

test("what commands print of a sweep with --json is what docs/commands.md says", () =>
  inSweep(
    { yaml: localYaml(5, HALVING), launcher: LAUNCHER },
    async ({ path, write }: TestWorkspace) => {
      const said = (...argv: string[]) => runJson(argv);
      assertDocumented(tableOf("check"), [await said("check", path)]);
      const early = [await said("ls", path), await said("status", path), await said("stats", path)];
      const preview = await said("run", path, "-n");
      const tested = [await said("test", path, "0")];
      const ran = await said("run", path);
      assertDocumented(tableOf("run"), [preview, ran]);
      await untilStepped(path, "completed failed running running running");
      assertDocumented(tableOf("test"), tested);
      assertDocumented(tableOf("ls"), [early[0], await said("ls", path)]);
      assertDocumented(tableOf("status"), [early[1], await said("status", path)]);
      assertDocumented(tableOf("stats"), [early[2], await said("stats", path)]);
      write(".hyperherd/logs/77.out", "of a trial that nobody knows\n");
      assertDocumented(tableOf("tail"), [
        await said("tail", path, "1"),
        await said("tail", path, "77"),
      ]);
      assertDocumented(tableOf("snapshot"), [await said("snapshot", path, "--limit", "3")]);
      assertDocumented(tableOf("res"), [await said("res", path)]);
      assertDocumented(tableOf("res", "With `--steps`:"), [await said("res", path, "--steps")]);
      assertDocumented(tableOf("res", "With `--best`:"), [await said("res", path, "--best")]);
      const passes = [await said("sh", path, "-n"), await said("sh", path)];
      assertDocumented(tableOf("sh"), passes);
      await untilStatus(path, (all) => all.filter((one) => one === "running").length <= 1);
      const { trials } = await said("status", path);
      const first = (status: string) =>
        `${trials.find((one: { status: string }) => one.status === status)?.index}`;
      assertDocumented(tableOf("resume"), [await said("resume", path, first("pruned"))]);
      await untilStatus(path, (all) => all.includes("running"));
      const live = first("pruned");
      assertDocumented(tableOf("pause"), [await said("pause", path, live)]);
      assertDocumented(tableOf("prune"), [await said("prune", path, live)]);
      const log = ["log", "accuracy", "0.5", "--trial", "0", "--workspace", path];
      assertDocumented(tableOf("log"), [await said(...log), await said(...log, "--step", "3")]);
      assertDocumented(tableOf("stop"), [await said("stop", path, "--all")]);
      assertDocumented(tableOf("clean"), [await said("clean", path, "--logs", "--yes")]);
    },
  ));

test("test --all and res --best of repeats print what docs/commands.md says", () =>
  inSweep(
    {
      yaml: localYaml(
        1,
        "repeats: 2\nsuccessive_halving: {metric: accuracy, direction: max, " +
          "min_steps: 1, budget: 2}\n",
      ),
      launcher: "#!/bin/bash\n" +
        'echo \'{"accuracy": 0.9}\' > ".hyperherd/results/$HYPERHERD_TRIAL_ID.json"\n',
    },
    async ({ path }) => {
      const all = await runJson(["test", path, "--all", "--cfg-job"]);
      assertDocumented(tableOf("test", "With `--all`:"), [all]);
      const waited = await runJson(["run", path, "--wait"]);
      const types = new Map([...tableOf("run").types, ...tableOf("status").types]);
      assertDocumented({ title: "", types }, [waited]);
      const best = await runJson(["res", path, "--best"]);
      assertDocumented(tableOf("res", "With `--best`, in a sweep with `repeats`:"), [best]);
    },
  ));

test("init, doctor, help, completions and version print what docs/commands.md says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herd-docs-"));
  try {
    const env = { PATH: slurmPrograms(join(folder, "bin")) };
    const made = await runJson(["init", join(folder, "a")], { env });
    const copied = await runJson(
      ["init", join(folder, "b"), "--config", join(folder, "a", "hyperherd.yaml")],
      { env },
    );
    assertDocumented(tableOf("init"), [made, copied]);
    const said = await runCommand(["doctor", join(folder, "a"), "--json"], { env });
    const checkup = JSON.parse(said.stdout);
    assert.equal(checkup.partitions.length, 1, said.stdout);
    assertDocumented(tableOf("doctor"), [checkup]);
    assertDocumented(tableOf("help"), [await runJson(["help", "run"])]);
    assertDocumented(tableOf("completions"), [await runJson(["completions", "bash"])]);
    assertDocumented(tableOf("version"), [await runJson(["version"])]);
    assert.deepEqual(Object.keys(await runJson(["help"])), ["commands"]);
    assert.deepEqual(Object.keys(await runJson(["help", "exit-codes"])), ["exit_codes"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("errors print what docs/commands.md says", () =>
  inSweep({ yaml: localYaml(2).replace("mem: 64M", "mem: lots") }, async ({ path, write }) => {
    const mistakes = await runJson(["check", path], { code: 2 });
    const nothing = await runJson(["log", "a", "1"], { code: 2 });
    const [table] = keyTables(section(PAGE, "### JSON"));
    // No mistake of a YAML's has a hint here.
    mistakes.error.mistakes.push({ message: "m", hint: "h" });
    assertDocumented(table!, [mistakes, nothing]);
    write("hyperherd.yaml", localYaml(2));
    // A spool that cannot be made: the scheduler says no after the plan was made.
    write(".hyperherd/local/jobs", "");
    const { error, ...document } = await runJson(["run", path], { code: 5 });
    assert.equal(error.kind, "rejected");
    assertDocumented(tableOf("run"), [document, { sbatch_path: null, jobs: [] }]);
  }));

/** SLURM's programs, answering as a real 22.05 did. */
function slurmPrograms(bin: string): string {
  const fixtures = new URL("../../fixtures/slurm-22.05/", import.meta.url).pathname;
  const scripts: Record<string, string> = {
    sbatch: "echo 'slurm-wlm 22.05.8'",
    squeue: "true",
    scancel: "true",
    sacct: "true",
    sacctmgr: "true",
    sinfo: `cat ${fixtures}sinfo.txt`,
    scontrol: `case "$*" in
      *config) cat ${fixtures}scontrol-config.txt ;;
      *partition) cat ${fixtures}scontrol-partition.txt ;;
      *) echo 'Slurmctld(primary) at vm is UP' ;;
    esac`,
  };
  mkdirSync(bin);
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return `${bin}:/usr/bin:/bin`;
}

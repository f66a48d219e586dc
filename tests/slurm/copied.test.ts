import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runProcess } from "../../lib/base/process.ts";
import { HERD, herd, makeSweep, statusOf, untilStatus } from "../support/herd.ts";
import { PARTITION, slurm, withoutSlurm } from "../support/slurm.ts";

const SKIP = { skip: withoutSlurm };

function yaml(name: string, more = ""): string {
  return `
name: ${name}
launcher: ./launch.sh
scheduler: slurm
grid: all
slurm: {partition: ${PARTITION}, time: 5, mem: 50M${more}}
parameters:
  p: {type: discrete, values: [1, 2]}
`;
}

test("stop, run and clean in a copy leave the original's jobs on SLURM alone", SKIP, async (t) => {
  const sweep = makeSweep({ yaml: yaml("x6copy"), launcher: "#!/bin/bash\nsleep 120\n" });
  const copy = `${sweep.path}-copy`;
  t.after(() => {
    rmSync(copy, { recursive: true, force: true });
    sweep.remove();
  });
  assert.equal((await herd(["run", sweep.path])).code, 0);
  await untilStatus(sweep.path, ({ totals }) => totals["running"] === 2);
  cpSync(sweep.path, copy, { recursive: true });
  for (const argv of [["stop", copy, "-a"], ["run", copy], ["clean", copy, "--yes"]]) {
    const said = await herd(argv);
    assert.equal(said.code, 3, said.stdout + said.stderr);
    assert.match(said.stderr, new RegExp(`belong to the workspace "${sweep.path}"`));
  }
  assert.equal((await statusOf(copy)).totals["running"], 2, "a copy can be looked at");
  assert.equal((await herd(["clean", copy, "--all", "--yes"])).code, 0);
  assert.equal((await statusOf(sweep.path)).totals["running"], 2);
  const stopped = await herd(["stop", sweep.path, "-a"]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.equal((await statusOf(sweep.path)).totals["cancelled"], 2);
});

/** A disk of 1 MiB that only this process and its children see. */
const FULL = `
set -e
mount -t tmpfs -o size=1m tmpfs "$1"
cd "$1"
printf '%s' "$3" >hyperherd.yaml
printf '#!/bin/bash\ntrue\n' >launch.sh
chmod +x launch.sh
"$2" run >&2
dd if=/dev/zero of=fill bs=4096 2>/dev/null || true
code=0
"$2" stop -a || code=$?
echo "exit $code"
`;

function withoutMounts(): string | false {
  if (withoutSlurm !== false) return withoutSlurm;
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return false;
  } catch {
    return "no file system can be mounted here";
  }
}

test(
  "jobs are stopped although the disk is full, and it is said",
  { skip: withoutMounts() },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "herd-x6-full-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    // The nodes do not see that disk, so the jobs must not start.
    const text = yaml("x6full", ', extra_args: ["--begin=now+1hour"]');
    const said = await runProcess(
      ["unshare", "-m", "bash", "-c", FULL, "full", folder, HERD, text],
      { timeoutMs: 60_000, env: { ...process.env, NO_COLOR: "1" } as Record<string, string> },
    );
    const job = /as job (\d+)/.exec(said.stderr)?.[1];
    assert.ok(job !== undefined, said.stdout + said.stderr);
    t.after(() => slurm(["scancel", job]).catch(() => ""));
    assert.match(said.stdout, /Stopped 2 trials \(0-1\).*\nexit 0\n$/);
    assert.match(said.stderr, /Note: .*no space is left on the disk; .*not written down/);
    assert.equal(
      await slurm(["squeue", "-h", "-j", job, "-t", "pending,running"]).catch(() => ""),
      "",
    );
  },
);

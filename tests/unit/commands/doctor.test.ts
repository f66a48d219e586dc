import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { localYaml, runCommand, runJson } from "../../support/command.ts";

interface Check {
  area: string;
  mark: string;
  message: string;
  mend: string | null;
}

async function inFolder(
  use: (
    folder: string,
    programs: (scripts: Record<string, string>) => Record<string, string>,
  ) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd-doctor-"));
  const bin = mkdtempSync(join(tmpdir(), "herd-doctor-bin-"));
  const programs = (scripts: Record<string, string>) => {
    for (const [name, script] of Object.entries(scripts)) {
      writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return { PATH: bin };
  };
  try {
    await use(folder, programs);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(bin, { recursive: true });
  }
}

const BASH = { bash: "echo 'GNU bash, version 5.1.8(1)-release (x86_64)'" };

function find(checks: readonly Check[], pattern: RegExp): Check {
  const found = checks.find(({ message }) => pattern.test(message));
  assert.ok(found, `${pattern} in ${checks.map(({ message }) => message).join("\n")}`);
  return found;
}

test("a machine without SLURM is well, and nothing is left behind", () =>
  inFolder(async (folder, programs) => {
    writeFileSync(join(folder, "hyperherd.yaml"), localYaml(2));
    const document = await runJson(["doctor", folder], { env: programs(BASH) });
    assert.equal(document.ok, true);
    assert.equal(find(document.checks, /SLURM is not on the PATH/).mark, "doubt");
    assert.equal(find(document.checks, /Sweep test-sweep/).mark, "good");
    assert.equal(find(document.checks, /Writing, fsync and rename work/).mark, "good");
    assert.equal(find(document.checks, /clock and this machine's agree/).mark, "good");
    assert.equal(find(document.checks, /bash 5\.1\.8/).mark, "good");
    assert.equal(find(document.checks, /There is no python3/).mark, "doubt");
    assert.ok(document.not_checked.some((one: string) => /login node/.test(one)));
    assert.deepEqual(readdirSync(folder), ["hyperherd.yaml"]);
    const said = await runCommand(["doctor", folder], { env: programs(BASH) });
    assert.match(said.stdout, /\n {2}✓ bash 5\.1\.8\n/);
  }));

test("a YAML that asks for SLURM where there is none is something to mend", () =>
  inFolder(async (folder, programs) => {
    const yaml = localYaml(1).replace("scheduler: local", "scheduler: slurm");
    writeFileSync(join(folder, "hyperherd.yaml"), yaml);
    const { checks, ok } = await runJson(["doctor", folder], { env: programs(BASH), code: 1 });
    assert.equal(ok, false);
    assert.equal(find(checks, /the YAML asks for it/).mark, "bad");
  }));

test("a controller that is down, accounting that is silent and an old bash are told apart", () =>
  inFolder(async (folder, programs) => {
    const env = programs({
      bash: "echo 'GNU bash, version 4.1.2(2)-release'",
      sbatch: "echo 'slurm 23.11.4'",
      squeue: "exit 1",
      scancel: "exit 1",
      scontrol: "echo 'Slurmctld(primary) at head1 is DOWN'; exit 1",
      sacct: "echo 'sacct: error: Problem talking to the database: Connection refused' >&2; exit 1",
      sacctmgr: "exit 1",
    });
    const { checks } = await runJson(["doctor", folder], { env, code: 1 });
    assert.equal(find(checks, /^SLURM 23\.11\.4$/).mark, "good");
    assert.equal(find(checks, /controller does not answer: .* at head1 is DOWN/).mark, "bad");
    assert.equal(find(checks, /Accounting does not answer: .*Connection refused/).mark, "doubt");
    assert.equal(find(checks, /"sinfo" cannot be found/).mark, "doubt");
    assert.equal(find(checks, /bash 4\.1\.2 is too old/).mark, "bad");
    assert.equal(find(checks, /There is no sweep in/).mark, "doubt");
  }));

test("a broken YAML, secrets that others can read and a folder open to all are found", () =>
  inFolder(async (folder, programs) => {
    writeFileSync(join(folder, "hyperherd.yaml"), "name: [");
    writeFileSync(join(folder, ".env"), "DISCORD_BOT_TOKEN=secret-text\n", { mode: 0o644 });
    chmodSync(join(folder, ".env"), 0o644);
    chmodSync(folder, 0o777);
    const said = await runCommand(["doctor", folder, "--json"], { env: programs(BASH) });
    assert.equal(said.code, 1);
    assert.doesNotMatch(said.stdout, /secret-text/);
    const { checks } = JSON.parse(said.stdout);
    assert.match(find(checks, /chmod 600/).message, /\.env/);
    assert.equal(find(checks, /Everybody may write into/).mark, "bad");
    assert.ok(checks.some(({ mend }: Check) => mend === "`herd check`"));
  }));

test("a path that does not exist is a mistake, not a diagnosis", () =>
  inFolder(async (folder, programs) => {
    mkdirSync(join(folder, "there"));
    const said = await runCommand(["doctor", join(folder, "not-there")], { env: programs(BASH) });
    assert.equal(said.code, 2);
    assert.equal(
      (await runCommand(["doctor", join(folder, "there")], { env: programs(BASH) })).code,
      0,
    );
  }));

import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { readConfig } from "../../../lib/sweep/read-config.ts";
import { runCommand, runJson } from "../../support/command.ts";

/** Without SLURM on the PATH. */
const BARE = { PATH: "/nowhere" };

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd-init-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("init makes a folder with a sweep that is right and a launcher that can be run", () =>
  inFolder(async (cwd) => {
    const said = await runCommand(["init", "my sweep"], { cwd, env: BARE });
    assert.equal(said.code, 0);
    assert.match(said.stdout, /Created my sweep\/hyperherd\.yaml\nCreated my sweep\/launch\.sh/);
    assert.match(said.stdout, /No SLURM was found here/);
    assert.match(said.stdout, /cd 'my sweep'/);
    const { config } = readConfig(readFileSync(join(cwd, "my sweep/hyperherd.yaml"), "utf8"), {
      file: "hyperherd.yaml",
    });
    assert.deepEqual([config.name, config.scheduler, config.launcher], [
      "my-sweep",
      "local",
      "launch.sh",
    ]);
    assert.equal(statSync(join(cwd, "my sweep/launch.sh")).mode & 0o111, 0o111);
    const shown = await runJson(["run", join(cwd, "my sweep"), "-n"]);
    assert.ok(shown.submitted_indices.length > 1);
  }));

test("files that are there are kept without --force, and none is written", () =>
  inFolder(async (cwd) => {
    writeFileSync(join(cwd, "launch.sh"), "mine");
    const refused = await runCommand(["init", "--python"], { cwd, env: BARE });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /launch\.sh": already there/);
    assert.deepEqual(readdirSync(cwd), ["launch.sh"]);
    const document = await runJson(["init", "--python", "-f"], { cwd, env: BARE });
    assert.deepEqual(document, {
      directory: cwd,
      created: ["hyperherd.yaml", "launch.sh", "herd_results.py"].map((name) => join(cwd, name)),
      kept: [join(cwd, "launch.sh.before-init")],
      scheduler: "local",
      partition: null,
      partitions: [],
      notes: [],
    });
    assert.notEqual(readFileSync(join(cwd, "launch.sh"), "utf8"), "mine");
    assert.match(readFileSync(join(cwd, "herd_results.py"), "utf8"), /def log_result/);
  }));

test("--force keeps what it replaces, every time, and what is the same already is not kept", () =>
  inFolder(async (cwd) => {
    for (const text of ["first", "second", "third"]) {
      writeFileSync(join(cwd, "launch.sh"), text);
      const said = await runCommand(["init", "-f"], { cwd, env: BARE });
      assert.match(said.stdout, /^Kept what was there as launch\.sh\.before-init/m);
    }
    assert.deepEqual(
      ["", "-2", "-3"].map((n) => readFileSync(join(cwd, `launch.sh.before-init${n}`), "utf8")),
      ["first", "second", "third"],
    );
    assert.deepEqual((await runJson(["init", "-f"], { cwd, env: BARE })).kept, []);
    assert.equal(readdirSync(cwd).length, 5);
  }));

test("--python adds only the helper to a sweep that is there", () =>
  inFolder(async (cwd) => {
    writeFileSync(join(cwd, "hyperherd.yaml"), "name: mine");
    writeFileSync(join(cwd, "launch.sh"), "mine");
    const said = await runCommand(["init", "--python"], { cwd, env: BARE });
    assert.equal(said.code, 0, said.stderr);
    assert.equal(said.stdout, "Created herd_results.py\n");
    assert.match(said.stderr, /only the helper was added/);
    assert.deepEqual(
      ["hyperherd.yaml", "launch.sh"].map((name) => readFileSync(join(cwd, name), "utf8")),
      [
        "name: mine",
        "mine",
      ],
    );
    const again = await runCommand(["init", "--python"], { cwd, env: BARE });
    assert.equal(again.code, 2);
    assert.match(again.stderr, /herd_results\.py": already there/);
  }));

test("given files are copied, the launcher to where the YAML expects it", () =>
  inFolder(async (cwd) => {
    const yaml = "# mine\nname: mine\nlauncher: bin/go.sh\nparameters:\n" +
      "  x: {type: discrete, values: [1]}\ngrid: all\n";
    writeFileSync(join(cwd, "mine.yaml"), yaml);
    writeFileSync(join(cwd, "mine.sh"), "#!/bin/sh\nexit 3\n", { mode: 0o600 });
    const words = ["init", "new", "--config", "mine.yaml", "--launcher", "mine.sh"];
    const { created } = await runJson(words, { cwd, env: BARE });
    assert.deepEqual(created, [join(cwd, "new/hyperherd.yaml"), join(cwd, "new/bin/go.sh")]);
    assert.equal(readFileSync(join(cwd, "new/hyperherd.yaml"), "utf8"), yaml);
    assert.equal(readFileSync(join(cwd, "new/bin/go.sh"), "utf8"), "#!/bin/sh\nexit 3\n");
    assert.equal(statSync(join(cwd, "new/bin/go.sh")).mode & 0o777, 0o700);
  }));

test("a missing source, a file in the way and a folder that is read-only are told before anything is made", () =>
  inFolder(async (cwd) => {
    const missing = await runCommand(["init", "a", "--config", "no.yaml"], { cwd, env: BARE });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /no\.yaml": there is no such file/);
    writeFileSync(join(cwd, "file"), "");
    assert.equal((await runCommand(["init", "file"], { cwd, env: BARE })).code, 2);
    assert.equal((await runCommand(["init", "file/below"], { cwd, env: BARE })).code, 2);
    const odd = await runCommand(["init", "new\nline"], { cwd, env: BARE });
    assert.equal(odd.code, 2);
    assert.match(odd.stderr, /control character newline/);
    mkdirSync(join(cwd, "folder/hyperherd.yaml"), { recursive: true });
    const inTheWay = await runCommand(["init", "folder", "-f"], { cwd, env: BARE });
    assert.match(inTheWay.stderr, /hyperherd\.yaml": it is a folder/);
    assert.deepEqual(readdirSync(cwd).sort(), ["file", "folder"]);
  }));

test("a copied YAML with mistakes is copied all the same, with a note", () =>
  inFolder(async (cwd) => {
    writeFileSync(join(cwd, "bad.yaml"), "name: [");
    const { notes } = await runJson(["init", "new", "--config", "bad.yaml"], { cwd, env: BARE });
    assert.match(notes[0], /herd check/);
    assert.ok(existsSync(join(cwd, "new/launch.sh")));
  }));

test("a SLURM that does not answer leaves partition and limits open, and says so", () =>
  inFolder(async (cwd) => {
    mkdirSync(join(cwd, "bin"));
    for (const program of ["sbatch", "scontrol", "sinfo", "squeue", "sacct", "sacctmgr"]) {
      writeFileSync(
        join(cwd, "bin", program),
        "#!/bin/sh\necho 'Unable to contact slurm controller (connect failure)' >&2\nexit 1\n",
      );
      chmodSync(join(cwd, "bin", program), 0o755);
    }
    const env = { PATH: `${cwd}/bin:/usr/bin:/bin` };
    const document = await runJson(["init", "new"], { cwd, env });
    assert.equal(document.scheduler, "slurm");
    assert.equal(document.partition, null);
    assert.match(document.notes[0], /could not be asked/);
    const text = readFileSync(join(cwd, "new/hyperherd.yaml"), "utf8");
    assert.match(text, /# partition: default/);
    assert.equal(readConfig(text, { file: "x" }).config.scheduler, undefined);
    const named = await runJson(["init", "b", "--no-cluster", "--partition", "gpu"], { cwd, env });
    assert.equal(named.partition, "gpu");
    const { config } = readConfig(readFileSync(join(cwd, "b/hyperherd.yaml"), "utf8"), {
      file: "x",
    });
    assert.equal(config.slurm.partition, "gpu");
  }));

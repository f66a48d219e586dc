import { test } from "node:test";
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../lib/base/errors.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import { createState, findWorkspace, refuseForeignOwner } from "../../../lib/store/workspace.ts";
import { inFolder } from "../../support/store-folder.ts";

const says = (message: RegExp, hint?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, message);
  if (hint !== undefined) assert.match(error.hint ?? "", hint);
  return true;
};

test("a workspace is found by its folder, by its YAML of any name, and through a link", () =>
  inFolder((folder) => {
    writeFileSync(join(folder, "hyperherd.yaml"), "");
    writeFileSync(join(folder, "my sweep.yml"), "");
    symlinkSync(folder, join(folder, "link"));
    assert.equal(findWorkspace(folder).config, join(folder, "hyperherd.yaml"));
    assert.equal(findWorkspace(`${folder}/`).root, folder);
    assert.equal(findWorkspace(join(folder, "link")).root, join(folder, "link"));
    const named = findWorkspace(join(folder, "my sweep.yml"));
    assert.deepEqual([named.root, named.config], [folder, join(folder, "my sweep.yml")]);
    assert.equal(named.journal, join(folder, ".hyperherd", "journal.jsonl"));
  }));

test("what is no workspace is refused with what was found", () =>
  inFolder((folder) => {
    assert.throws(() => findWorkspace(join(folder, "no")), says(/there is no such/, /herd init/));
    assert.throws(() => findWorkspace(folder), says(/the folder is empty/, /herd init/));
    writeFileSync(join(folder, "notes.txt"), "");
    assert.throws(() => findWorkspace(folder), says(/no YAML file in it/));
    writeFileSync(join(folder, "hyperherd.yml"), "");
    writeFileSync(join(folder, "a.yaml"), "");
    assert.throws(
      () => findWorkspace(folder),
      says(/found "a.yaml", "hyperherd.yml"/, /hyperherd.yml"/),
    );
    assert.throws(
      () => findWorkspace(join(folder, "a.yaml", "b")),
      says(/is a file, not a folder/),
    );
    assert.throws(() => findWorkspace("/dev/null"), says(/it is a device/));
    mkdirSync(join(folder, ".hyperherd"));
    assert.throws(
      () => findWorkspace(join(folder, ".hyperherd")),
      says(/empty/, /the folder above it/),
    );
    mkdirSync(join(folder, "hyperherd.yaml"));
    assert.throws(() => findWorkspace(folder), says(/hyperherd.yaml": it is a folder, not a file/));
  }));

test("an empty argument, a file that is no YAML and a name that is taken are no workspace", () =>
  inFolder((folder) => {
    assert.throws(() => findWorkspace(""), says(/empty argument/, /variable of a script/));
    writeFileSync(join(folder, "launch.sh"), "");
    const launcher = join(folder, "launch.sh");
    assert.throws(() => findWorkspace(launcher), says(/"launch.sh" is no YAML file/, /\.yaml or/));
    const config = join(folder, "hyperherd.yaml");
    symlinkSync("/nowhere/x.yaml", config);
    assert.throws(
      () => findWorkspace(folder),
      says(/it is a link to "\/nowhere\/x.yaml", which does not exist/),
    );
    // What runs must still be seen and stopped.
    mkdirSync(join(folder, ".hyperherd"));
    writeFileSync(join(folder, ".hyperherd", "journal.jsonl"), "");
    assert.equal(findWorkspace(folder).root, folder);
    rmSync(config);
    writeFileSync(config, "");
    assert.throws(() => findWorkspace(launcher), says(/no YAML file/, new RegExp(folder)));
    symlinkSync(config, join(folder, "sweep.yaml"));
    assert.equal(findWorkspace(join(folder, "sweep.yaml")).root, folder);
  }));

test("G.1.15: a path with control characters is refused, other odd ones are taken", () =>
  inFolder((folder) => {
    for (const bad of ["a\nb", "a\tb", "a\u001bb", "a\u0085b", "a\u2028b", "a\0b"]) {
      assert.throws(
        () => findWorkspace(join(folder, bad)),
        says(/its path holds the control character/),
      );
    }
    assert.throws(() => findWorkspace(join(folder, "a\ufffdb")), says(/not UTF-8/));
    for (const odd of ["a b", "'\"", "%j%a", "ünï 🐑", "$(x);&|", "-rf"]) {
      mkdirSync(join(folder, odd));
      writeFileSync(join(folder, odd, "hyperherd.yaml"), "");
      assert.equal(findWorkspace(join(folder, odd)).root, join(folder, odd));
    }
  }));

test("G.3.25: what only its owner may see is made private, whatever the umask", () =>
  inFolder((folder) => {
    const before = process.umask(0);
    try {
      const paths = workspacePaths(folder);
      createState(paths);
      createState(paths);
      for (const path of [paths.state, paths.lease, paths.events, paths.submissions, paths.local]) {
        assert.equal(statSync(path).mode & 0o777, 0o700, path);
      }
      assert.ok(statSync(paths.results).isDirectory() && statSync(paths.logs).isDirectory());
      chmodSync(paths.state, 0o755);
      createState(paths);
      assert.equal(statSync(paths.state).mode & 0o777, 0o755, "who opened it keeps it open");
    } finally {
      process.umask(before);
    }
  }));

test("G.3.25: a workspace of another user is not written to, except by root", () =>
  inFolder((folder) => {
    const paths = workspacePaths(folder);
    createState(paths);
    const owner = process.getuid!();
    refuseForeignOwner(paths, owner);
    refuseForeignOwner(paths, 0);
    assert.throws(
      () => refuseForeignOwner(paths, owner + 1),
      says(new RegExp(`belongs to user ${owner}, you are user ${owner + 1}`)),
    );
  }));

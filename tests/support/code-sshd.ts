import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeTree } from "./remove-tree.ts";
import { type Sshd, startSshd, withoutSshd } from "./sshd.ts";

const SOURCE = fileURLToPath(new URL("pam-code.c", import.meta.url));

/** A real OpenSSH server that asks for `code-N` at the N-th login. */
export interface CodeSshd extends Sshd {
  logins(): number;
}

/** Why there can be no such server here, or false. */
export function withoutCodeSshd(): string | false {
  if (withoutSshd !== false) return withoutSshd;
  if (spawnSync("gcc", ["--version"]).status !== 0) return "there is no gcc here";
  const libraries = spawnSync("ldd", ["/usr/sbin/sshd"], { encoding: "utf8" }).stdout;
  return libraries.includes("libpam.so") ? false : "sshd here asks for no codes: it has no PAM";
}

/** `methods` as for sshd's AuthenticationMethods. */
export async function startCodeSshd(methods = "keyboard-interactive"): Promise<CodeSshd> {
  const folder = mkdtempSync(join(tmpdir(), "herd-pam-"));
  const library = join(folder, "code.so");
  execFileSync("gcc", ["-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]);
  const count = join(folder, "logins");
  writeFileSync(count, "0\n");
  mkdirSync(join(folder, "pam.d"));
  writeFileSync(
    join(folder, "pam.d/sshd"),
    `auth required ${library} ${count}\naccount required pam_permit.so\nsession required pam_permit.so\n`,
  );
  const server = await startSshd({
    config: ["UsePAM yes", "KbdInteractiveAuthentication yes", `AuthenticationMethods ${methods}`],
    env: { LD_PRELOAD: library, HERD_PAM_FOLDER: join(folder, "pam.d") },
  });
  const end = server[Symbol.asyncDispose].bind(server);
  return Object.assign(server, {
    logins: () => Number(readFileSync(count, "utf8")),
    async [Symbol.asyncDispose]() {
      await end();
      removeTree(folder);
    },
  });
}

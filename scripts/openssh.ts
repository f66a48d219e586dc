import { outputOf, run } from "./setup.ts";

/** The server, its tools, and login shells other than bash. */
const PACKAGES = ["openssh-server", "openssh-client", "tcsh", "fish", "zsh"];

/**
 * Installs what the tests over ssh want, where root and apt allow it; elsewhere they are skipped
 * with their reason. No service is started: each test starts a server of its own.
 */
export async function installOpenSsh(): Promise<void> {
  const there = await outputOf(["sh", "-c", "command -v /usr/sbin/sshd && command -v fish"]);
  if (there !== undefined || Deno.build.os !== "linux" || Deno.uid() !== 0) return;
  if (await outputOf(["sh", "-c", "command -v apt-get"]) === undefined) return;
  console.log(`Installing ${PACKAGES.join(", ")} for the tests over ssh ...`);
  const policy = "/usr/sbin/policy-rc.d";
  const mine = await Deno.stat(policy).then(() => false, () => true);
  if (mine) await Deno.writeTextFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const install = ["apt-get", "install", "-y", "--no-install-recommends", ...PACKAGES];
    if (await run(install, { env, quiet: true }) === 0) return;
    await run(["apt-get", "update"], { quiet: true });
    await run(install, { env, quiet: true });
  } finally {
    if (mine) await Deno.remove(policy);
  }
}

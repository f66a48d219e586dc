import { runProcess } from "../base/process.ts";
import { userName } from "../base/user-name.ts";

/** The account here, who is also the one there where nothing else is said. */
export async function loginName(): Promise<string> {
  const name = userName();
  if (!/^\d+$/.test(name)) return name;
  // Bun knows no name where $USER is not set; the system's own program asks LDAP as well.
  const { ok, stdout } = await runProcess(["id", "-un"], { timeoutMs: 10_000 });
  return (ok && stdout.trim()) || name;
}

import { spawnSync } from "node:child_process";
import { userInfo } from "node:os";

/** Who acts, for the journal and for logins elsewhere; the number where the account has no name here. */
export function userName(): string {
  try {
    const { username } = userInfo();
    if (username !== "unknown" && username !== "") return username;
  } catch {
    // Asked below.
  }
  // Bun knows no name where $USER is not set; the system's own program asks LDAP as well.
  const { stdout, status } = spawnSync("id", ["-un"], { encoding: "utf8", timeout: 10_000 });
  const name = status === 0 ? stdout.trim() : "";
  return name === "" ? `${process.getuid?.() ?? "unknown"}` : name;
}

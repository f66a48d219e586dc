import { userInfo } from "node:os";

/** Who acts, for the journal; the number where the account has no name here. */
export function userName(): string {
  const number = `${process.getuid?.() ?? "unknown"}`;
  try {
    // Bun reads $USER and says "unknown" without it.
    const { username } = userInfo();
    return username === "unknown" || username === "" ? number : username;
  } catch {
    return number;
  }
}

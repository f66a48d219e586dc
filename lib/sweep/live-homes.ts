import type { Home } from "./home.ts";
import type { SweepState } from "./state.ts";

/** The homes of whatever may still be alive, each once. What does not tell its home is not judged. */
export function homesOfLive(state: SweepState): Home[] {
  const homes = new Map<string, Home>();
  for (const { submission, phase } of state.attempts.values()) {
    if (phase === "ended") continue;
    const home = state.submissions.get(submission)?.home;
    if (home !== undefined) homes.set(`${home.inode} ${home.path}`, home);
  }
  return [...homes.values()];
}

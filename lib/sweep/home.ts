import type { SweepState } from "./state.ts";

/** Which folder submitted something: a copy of it has another inode, a folder that was moved another path. */
export interface Home {
  /** The workspace's path, links resolved. */
  path: string;
  /** Number of the inode of `.hyperherd`: text, since it may exceed what a JSON number holds. */
  inode: string;
}

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

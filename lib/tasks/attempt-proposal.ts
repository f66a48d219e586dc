import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import { LONGEST_PROPOSAL } from "../sweep/proposed-change.ts";
import { PROPOSAL_FILE } from "./attempt-files.ts";
import type { ProposalFile } from "./task.ts";

/**
 * PROPOSAL.diff as the agent left it; undefined when there is none, or it is empty. To be called
 * when nothing of the attempt runs any more. Links, pipes and devices are not read: an agent must
 * not make its worker show a file that it could not read itself.
 */
export function readProposalFile(folder: string): ProposalFile | undefined {
  let file: number;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    file = openSync(join(folder, PROPOSAL_FILE), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    return codeOf(error) === "ENOENT" ? undefined : unusable("is no plain file");
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return unusable("is no plain file");
    if (stats.nlink > 1) return unusable("is the same file as another one");
    if (stats.size > LONGEST_PROPOSAL) {
      return unusable(`has ${stats.size} bytes, at most ${LONGEST_PROPOSAL} are read`);
    }
    const bytes = Buffer.alloc(stats.size);
    let got = 0;
    for (let more = -1; more !== 0 && got < bytes.length; got += more) {
      more = readSync(file, bytes, got, bytes.length - got, got);
    }
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, got));
    return text.trim() === "" ? undefined : { text };
  } catch {
    return unusable("is no text in UTF-8");
  } finally {
    closeSync(file);
  }
}

function unusable(why: string): ProposalFile {
  return { refused: `${PROPOSAL_FILE} ${why}` };
}

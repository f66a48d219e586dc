import { RefusedError } from "../base/errors.ts";
import type { Standing } from "../store/home.ts";

const ADOPT = "say so once: HERD_ADOPT=1 herd status";

/** Whether the live jobs belong to another folder than the one at hand. */
export function isForeign({ kind }: Standing): boolean {
  return kind === "copy" || kind === "restored";
}

/** Throws RefusedError where a change would be one of another workspace's jobs. */
export function refuseForeign(standing: Standing): void {
  if (standing.kind === "copy") {
    throw new RefusedError(
      `Cannot change anything here: the live jobs belong to the workspace "${standing.of}"` +
        (standing.original ? ", of which this is a copy" : ", which this folder is not"),
      { hint: wayOut(standing), facts: { belongs_to: standing.of } },
    );
  }
  if (standing.kind === "restored") {
    throw new RefusedError(
      "Cannot change anything here: the live jobs belong to a folder that was in this place before",
      { hint: wayOut(standing) },
    );
  }
}

/** For whoever only looks; undefined where there is nothing to say. */
export function standingNote(standing: Standing): string | undefined {
  switch (standing.kind) {
    case "home":
      return undefined;
    case "moved":
      return `Jobs already submitted write to "${standing.from}", where this workspace was ` +
        "before: move it back, or stop them and run them again";
    case "copy":
      return `The live jobs belong to the workspace "${standing.of}", this is ` +
        `${standing.original ? "a copy of it" : "another folder"}: nothing is changed here. ` +
        wayOut(standing);
    case "restored":
      return "The live jobs belong to a folder that was in this place before: nothing is " +
        `changed here. ${wayOut(standing)}`;
  }
}

function wayOut(standing: Standing): string {
  return standing.kind === "copy"
    ? "`herd clean --all` here forgets them and leaves the jobs alone; if this is the original, " +
      `moved to another disk, ${ADOPT}`
    : `If it was restored from a backup, ${ADOPT}`;
}

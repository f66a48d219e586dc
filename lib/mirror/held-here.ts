import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import { type Fetched, grows } from "./wanted.ts";

/**
 * What is here of files that grow, before anything of them came from a place that is new: what jobs
 * write there follows it, as it would in one folder. `state`: `.hyperherd` here.
 */
export function heldHere(state: string): Map<string, Fetched> {
  const held = new Map<string, Fetched>();
  for (const folder of ["logs", "results"]) {
    for (const path of filesBelow(state, folder)) {
      const { size } = statSync(join(state, path));
      const isBase = size > 0 && grows({ path });
      if (isBase) held.set(path, { base: size, size: 0, modified: "", inode: "" });
    }
  }
  return held;
}

function filesBelow(state: string, folder: string): string[] {
  try {
    const options = { recursive: true, withFileTypes: true, encoding: "utf8" } as const;
    return readdirSync(join(state, folder), options).filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name).slice(state.length + 1));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

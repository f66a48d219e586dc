import { mirrorMemoryPath, readMirrorMemory } from "../mirror/mirror-memory.ts";
import { findWorkspace } from "../store/workspace.ts";
import { readSweepFile } from "./sweep-file.ts";

/** The computer where a workspace's jobs run, by its command lines and its YAML; undefined where that is this one. */
export function hostOfWorkspace(workspace: string): string | undefined {
  const paths = findWorkspace(workspace);
  const memory = readMirrorMemory(mirrorMemoryPath(paths.state));
  if (memory?.isWished === true) return memory.host;
  try {
    return readSweepFile(paths.config).config.slurm.host;
  } catch {
    // What is wrong with the YAML is told where it is run.
    return memory?.host;
  }
}

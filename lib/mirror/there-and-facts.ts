import type { WorkspacePaths } from "../store/paths.ts";
import type { HostFacts } from "./host-facts.ts";

/** The workspace as it is on the host. */
export interface ThereAndFacts {
  paths: WorkspacePaths;
  facts: HostFacts;
}

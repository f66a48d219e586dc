import { join } from "node:path";
import type { Tool } from "../../agent/tool.ts";
import type { Work } from "../../tasks/backend.ts";
import type { BackendParts } from "../backend-parts.ts";
import { type Place, placeIn, resolveIn } from "../confined-path.ts";
import { createPrograms } from "../programs.ts";
import { RESULT_FILE } from "../result-file.ts";
import { editFileTool } from "./edit-file.ts";
import { listFilesTool } from "./list-files.ts";
import { readFileTool } from "./read-file.ts";
import { searchTool } from "./search.ts";
import { shellTool } from "./shell.ts";
import { writeFileTool } from "./write-file.ts";

export interface ToolSet {
  tools: readonly Tool[];
  /** Whether the model wrote RESULT.txt with a tool for files. */
  wroteResult(): boolean;
  /** Resolves when no program of a tool's runs any more. */
  settled(): Promise<void>;
}

/**
 * What a model may use on a task, by the sandbox of the work. `onStart` hears of each call when it
 * begins. Undefined sandbox support is found out before: see `sandboxProblem`.
 */
export function createToolSet(
  work: Pick<Work, "folder" | "sandbox" | "env">,
  parts: Pick<BackendParts, "wrap" | "graceMs"> & { guarded?: boolean },
  onStart: (tool: string) => void,
): ToolSet {
  const place = placeIn(work.folder, work.sandbox.level === "none");
  const programs = createPrograms({
    wrap: parts.wrap,
    graceMs: parts.graceMs,
    guarded: parts.guarded ?? false,
    work,
  });
  let wrote = false;
  const onWritten = (path: string) => {
    wrote ||= namesResult(place, path);
  };
  const tools = [
    readFileTool(place),
    listFilesTool(place),
    searchTool(place, programs),
    shellTool(programs),
    ...(work.sandbox.level === "read-only"
      ? []
      : [writeFileTool(place, onWritten), editFileTool(place, onWritten)]),
  ];
  return {
    tools: tools.map((tool) => ({
      ...tool,
      run(input, signal) {
        onStart(tool.name);
        return tool.run(input, signal);
      },
    })),
    wroteResult: () => wrote,
    settled: programs.settled,
  };
}

function namesResult(place: Place, path: string): boolean {
  return resolveIn(place, path) === join(place.root, RESULT_FILE);
}

/** Why this machine cannot give the sandbox that the work asks for; undefined when it can. */
export function sandboxProblem(
  { folder, sandbox }: Pick<Work, "folder" | "sandbox">,
  { wrap }: Pick<BackendParts, "wrap">,
): string | undefined {
  const wrapped = wrap(["true"], { sandbox, folder });
  return "refused" in wrapped ? wrapped.refused : undefined;
}

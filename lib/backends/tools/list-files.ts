import { join } from "node:path";
import { z } from "../../base/schema.ts";
import { defineTool } from "../../agent/define-tool.ts";
import { RESULT_LIMIT, type Tool } from "../../agent/tool.ts";
import { type Entry, listConfined } from "../confined-file.ts";
import type { Place } from "../confined-path.ts";
import { withPath } from "./file-mistake.ts";

const ENTRIES = 500;

const input = z.strictObject({
  path: z.string().optional().describe("Relative to the task's folder; absent: the folder itself"),
  depth: z.int().min(1).max(8).optional().describe("Levels of folders, 2 when absent"),
});

export function listFilesTool(place: Place): Tool {
  return defineTool({
    name: "list_files",
    description: "Lists files and folders with their sizes. Links are named, not followed.",
    input,
    acts: false,
    run: ({ path = ".", depth = 2 }) =>
      withPath("list", path, () => {
        const lines: string[] = [];
        const whole = collect(lines, { place, folder: path, shown: "", depth });
        if (lines.length === 0) return "(The folder is empty.)";
        return lines.join("\n") + (whole ? "" : "\n(Cut here: list a folder of these by itself.)");
      }),
  });
}

interface Walk {
  place: Place;
  /** Where it is now. */
  folder: string;
  /** The same from where the listing began. */
  shown: string;
  depth: number;
}

/** False when there was more than fits. */
function collect(lines: string[], { place, folder, shown, depth }: Walk): boolean {
  for (const entry of listConfined(place, folder)) {
    const path = join(shown, entry.name);
    const length = lines.reduce((sum, line) => sum + line.length + 1, 0);
    if (lines.length >= ENTRIES || length + path.length > RESULT_LIMIT - 300) return false;
    lines.push(lineOf(path, entry));
    if (entry.kind !== "folder" || depth <= 1) continue;
    const below = { place, folder: join(folder, entry.name), shown: path, depth: depth - 1 };
    try {
      if (!collect(lines, below)) return false;
    } catch {
      lines.push(`${path}/ (cannot be listed)`);
    }
  }
  return true;
}

function lineOf(path: string, { kind, bytes, target }: Entry): string {
  // A name may hold anything, a line end too.
  const name = /[\p{Cc}"]/u.test(path) ? JSON.stringify(path) : path;
  if (kind === "folder") return `${name}/`;
  if (kind === "link") return `${name} -> ${JSON.stringify(target ?? "?")}`;
  return kind === "file" ? `${name} (${bytes} bytes)` : `${name} (no plain file)`;
}

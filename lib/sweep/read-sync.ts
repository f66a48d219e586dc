import { quote, readTexts } from "./fields.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

/** Of the workspace, and never for another machine: herd's own files, and secrets. */
const STAYS = [".hyperherd", ".env"];

/**
 * The list `sync`: what goes to the host of `slurm.host` beside the YAML and the launcher. Files,
 * folders and patterns (`*`, `**`, `?`), relative to the YAML's folder; `!` before one leaves out.
 */
export function readSync(node: Node, report: Report): readonly string[] {
  const texts = readTexts(node, report) ?? [];
  texts.forEach((text, i) => {
    const at = node.kind === "list" ? node.items[i] : node;
    const path = text.replace(/^!/, "");
    const problem = problemOf(path);
    if (at !== undefined && problem !== undefined) {
      report.mistake(
        at,
        `Cannot send ${quote(text)}: ${problem}`,
        "Name what lies in the folder of this file, such as train.py, src/ or configs/**/*.yaml",
      );
    }
  });
  return texts.map((text) => text.replace(/\/+$/, ""));
}

function problemOf(path: string): string | undefined {
  if (path === "") return "found nothing, expected a path";
  if (path.startsWith("/") || path.startsWith("~")) {
    return "it is not relative to the folder of this file";
  }
  const segments = path.split("/");
  if (segments.includes("..")) return 'it leads out of the folder of this file by ".."';
  if (STAYS.includes(segments[0]!)) return `"${segments[0]}" stays on this machine`;
  if (/[\0\n\r]/.test(path)) return "it holds a line break";
  return undefined;
}

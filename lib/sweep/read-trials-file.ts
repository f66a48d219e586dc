import { readText } from "./fields.ts";
import { createReport } from "./report.ts";
import { readYaml } from "./yaml-document.ts";

/**
 * The path that `trials` names in the text of `hyperherd.yaml`, as written.
 * Undefined when there is none; what is wrong with the text is for `readConfig` to say.
 */
export function readTrialsFile(text: string): string | undefined {
  // Most files have none and need not be parsed twice.
  if (!text.includes("trials")) return undefined;
  const unheard = createReport("");
  const entry = readYaml(text, unheard)?.entries.find(({ key }) => key === "trials");
  return entry === undefined ? undefined : readText(entry.value, unheard);
}

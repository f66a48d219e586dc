import { terminalQuestion } from "../lib/base/question.ts";
import { visible } from "../lib/base/width.ts";
import type { Asker } from "../lib/ssh/asker.ts";

/** Asks the person at the terminal what a login wants to know; undefined where nobody sits there. */
export function terminalAsker(): Asker | undefined {
  const question = terminalQuestion();
  if (question === undefined) return undefined;
  return async ({ title, prompt, echo, kind, attempt }, signal) => {
    const again = attempt > 1 ? "Not accepted, once more. " : "";
    const whom = kind === "code" ? `${title}: ` : "";
    const lines = prompt.split("\n").map((line) => visible(line)).join("\n");
    const answer = await question(`${again}${whom}${lines} `, signal, { hidden: !echo });
    return answer === "" && kind !== "host-key" ? undefined : answer;
  };
}

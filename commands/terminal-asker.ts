import { terminalQuestion } from "../lib/base/question.ts";
import type { Asker } from "../lib/ssh/asker.ts";

/** Asks at the terminal, without showing what must not be seen; undefined where there is none. */
export function terminalAsker(): Asker | undefined {
  const question = terminalQuestion();
  if (question === undefined) return undefined;
  return async ({ title, prompt, echo }, signal) => {
    const answer = await question(`${title}: ${prompt.trimEnd()} `, signal, { hidden: !echo });
    return answer === "" ? undefined : answer;
  };
}

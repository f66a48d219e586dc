import type { Asker, SshQuestion } from "../../lib/ssh/asker.ts";

/** Answers by a script; keeps what was asked. */
export function scriptedAsker(
  answer: (question: SshQuestion) => string | undefined,
): { asker: Asker; asked: SshQuestion[] } {
  const asked: SshQuestion[] = [];
  return {
    asked,
    asker: (question) => {
      asked.push(question);
      return Promise.resolve(answer(question));
    },
  };
}

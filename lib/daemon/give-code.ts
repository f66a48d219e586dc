import { explain } from "../base/explain.ts";
import type { HostStatus, Station } from "../control/station.ts";

/**
 * Gives a one-time code to the login of a host and says what came of it. A login that wants
 * anything else is not answered: passwords and passphrases do not pass through a chat.
 */
export async function giveCode(
  desk: Pick<Station, "hosts" | "answerHost">,
  host: string,
  code: string,
): Promise<string> {
  try {
    const before = (await desk.hosts()).find(({ name }) => name === host);
    if (before?.state === "connected") return `"${host}" is reached already.`;
    const question = before?.question ?? undefined;
    if (question !== undefined && question.kind !== "code") return elsewhere(before!);
    return outcomeText(await desk.answerHost(host, { answer: code }));
  } catch (error) {
    return explain(error, "terminal");
  }
}

function outcomeText(after: HostStatus): string {
  const { name, state, question, detail } = after;
  if (state === "connected") return `"${name}" is reached; the sweep goes on.`;
  if (question !== null && question.kind !== "code") return elsewhere(after);
  if (question !== null) {
    const why = question.attempt > 1 ? "That code was not taken" : "It wants one more code";
    return `${why}: press the button again.`;
  }
  return detail ?? `"${name}" is not reached yet.`;
}

function elsewhere({ name, question }: HostStatus): string {
  return `"${name}" wants a ${question!.kind} now, which does not pass through a chat: ` +
    `herd hosts login ${name}, in a terminal of the daemon's machine.`;
}

import { cleanLine } from "./quote-data.ts";

export type InterviewReply = { answer: string } | { ask: string };

/** What a model made of a free answer, in the form that the interview's prompt asks for; undefined: neither. */
export function readInterviewReply(text: string): InterviewReply | undefined {
  const found = [...text.matchAll(/^[\s`*_>-]*(ANSWER|ASK)[*_]*\s*:[*_]*(.*)$/gim)].at(-1);
  if (found === undefined) return undefined;
  const value = cleanLine(found[2] ?? "", 300).replace(/^[`"'*\s]+|[`"'*\s]+$/g, "");
  if (value === "") return undefined;
  return found[1]!.toUpperCase() === "ANSWER" ? { answer: value } : { ask: value };
}

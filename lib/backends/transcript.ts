import { cut } from "../agent/quote-data.ts";

/** What a model says and does, for `agent-output.log`, as it happens. */
export interface Transcript {
  /** All of the message so far. */
  said(text: string): void;
  used(call: { name: string; input: unknown; result: string; isError: boolean; ms: number }): void;
}

const INPUT = 4_000;
const RESULT = 4_000;

export function createTranscript(log: (text: string) => void): Transcript {
  let last = "";
  return {
    said(text) {
      const goesOn = last !== "" && text.startsWith(last);
      log(goesOn ? text.slice(last.length) : `\n\n${text}`);
      last = text;
    },
    used({ name, input, result, isError, ms }) {
      last = "";
      const asked = cut(JSON.stringify(input) ?? "", { limit: INPUT, keep: "start" });
      const answered = cut(result, { limit: RESULT, keep: "start" });
      log(`\n\n[${name} ${asked}] ${isError ? "failed " : ""}after ${ms} ms\n${answered}\n`);
    },
  };
}

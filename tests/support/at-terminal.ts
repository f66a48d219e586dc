import assert from "node:assert/strict";
import { spawn } from "node:child_process";

/** A person at a terminal; `script` gives the program one. */
export interface AtTerminal {
  ended: Promise<number | null>;
  shown(): string;
  end(): void;
  /** Answers when it is asked, and not before. */
  answer(question: RegExp, text: string, first?: () => void): Promise<void>;
}

export function atTerminal(argv: readonly string[], env: Record<string, string>): AtTerminal {
  const line = argv.map((one) => `'${one}'`).join(" ");
  const child = spawn("script", ["-qfec", line, "/dev/null"], { env });
  let shown = "";
  let heard = 0;
  const changed = new EventTarget();
  child.stdout.on("data", (bytes: Uint8Array) => {
    shown += new TextDecoder().decode(bytes);
    changed.dispatchEvent(new Event("more"));
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return {
    ended,
    shown: () => shown,
    end: () => void child.kill("SIGKILL"),
    async answer(question, text, first = () => {}) {
      const until = Date.now() + 20_000;
      while (!question.test(shown.slice(heard))) {
        if (Date.now() > until) assert.fail(`${question} was not asked:\n${shown.slice(heard)}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 500);
          changed.addEventListener("more", () => (clearTimeout(timer), resolve()), { once: true });
        });
      }
      heard = shown.length;
      first();
      child.stdin.write(`${text}\n`);
    },
  };
}

import { spawnSync } from "node:child_process";
import { isatty } from "node:tty";

export interface QuestionOptions {
  /** What is typed is not shown, as with passwords. */
  hidden?: boolean;
}

export type Question = (
  text: string,
  signal?: AbortSignal,
  options?: QuestionOptions,
) => Promise<string>;

/** Reads one line from the terminal after a question on standard error; undefined without a terminal. */
export function terminalQuestion(): Question | undefined {
  return isatty(0) ? askOnTerminal : undefined;
}

async function askOnTerminal(
  text: string,
  signal?: AbortSignal,
  { hidden = false }: QuestionOptions = {},
): Promise<string> {
  const { createInterface } = await import("node:readline");
  // terminal: false keeps the line discipline's own editing, and with it Ctrl-C as a signal.
  const reader = createInterface({ input: process.stdin, terminal: false });
  const isHidden = hidden && setEcho(false);
  process.stderr.write(text);
  try {
    return await new Promise<string>((resolve, reject) => {
      const stop = () => reject(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
      if (signal?.aborted) stop();
      reader.once("line", resolve);
      reader.once("close", () => resolve(""));
    });
  } finally {
    if (isHidden) {
      setEcho(true);
      process.stderr.write("\n");
    }
    reader.close();
    process.stdin.unref?.();
  }
}

/** False where it cannot be done; then the line is shown, as it is everywhere else. */
function setEcho(on: boolean): boolean {
  return spawnSync("stty", [on ? "echo" : "-echo"], { stdio: ["inherit", "ignore", "ignore"] })
    .status === 0;
}

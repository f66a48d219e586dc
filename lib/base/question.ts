import { isatty } from "node:tty";

/** Reads one line from the terminal after a question on standard error; undefined without a terminal. */
export function terminalQuestion():
  | ((text: string, signal?: AbortSignal) => Promise<string>)
  | undefined {
  return isatty(0) ? askOnTerminal : undefined;
}

async function askOnTerminal(text: string, signal?: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline");
  // terminal: false keeps the line discipline's own editing, and with it Ctrl-C as a signal.
  const reader = createInterface({ input: process.stdin, terminal: false });
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
    reader.close();
    process.stdin.unref?.();
  }
}

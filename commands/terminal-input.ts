import { isatty } from "node:tty";

/**
 * Lines that somebody types; undefined where nobody can. Ends with Ctrl-D or the
 * signal. The terminal's own editing stays, and with it Ctrl-C as a signal.
 */
export function terminalInput(signal: AbortSignal): AsyncIterable<string> | undefined {
  return isatty(0) ? typedLines(signal) : undefined;
}

async function* typedLines(signal: AbortSignal): AsyncGenerator<string> {
  const { createInterface } = await import("node:readline");
  if (signal.aborted) return;
  const reader = createInterface({ input: process.stdin, terminal: false });
  const close = () => reader.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    yield* reader;
  } finally {
    signal.removeEventListener("abort", close);
    reader.close();
    process.stdin.unref?.();
  }
}

import type { Output } from "../../lib/base/output.ts";
import { createTerminal, type Terminal } from "../../lib/base/terminal.ts";

export interface CapturedTerminal {
  out: Terminal;
  stdout(): string;
  stderr(): string;
}

export interface CaptureOptions {
  env?: Record<string, string>;
  /** Makes standard output a terminal of this size. */
  size?: { columns: number; rows: number };
  /** The same for standard error. */
  errorSize?: { columns: number; rows: number };
  /** What the user answers, in order; without it nobody can be asked. */
  answers?: string[];
}

/** A terminal whose text is kept, for tests of whatever prints. */
export function createCapturedTerminal(options: CaptureOptions = {}): CapturedTerminal {
  const stdout = createMemoryOutput(options.size);
  const stderr = createMemoryOutput(options.errorSize);
  const { answers } = options;
  const question = answers === undefined ? undefined : (text: string) => {
    stderr.output.write(text);
    return Promise.resolve(answers.shift() ?? "");
  };
  const parts = { env: options.env ?? {}, stdout: stdout.output, stderr: stderr.output, question };
  return { out: createTerminal(parts), stdout: stdout.text, stderr: stderr.text };
}

function createMemoryOutput(size: CaptureOptions["size"]): { output: Output; text(): string } {
  let text = "";
  return {
    output: {
      isTerminal: size !== undefined,
      size: () => size,
      write: (more) => void (text += more),
    },
    text: () => text,
  };
}

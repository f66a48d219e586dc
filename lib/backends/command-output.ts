import { cleanLine } from "../agent/quote-data.ts";
import { createKeptOutput } from "./kept-output.ts";
import { MOST_RESULT } from "./result-file.ts";

const PARTIAL = 20_000;
const LAST_WORDS = 2_000;

/** What a program wrote. */
export interface CommandOutput {
  add(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  /** All of standard output; undefined when it is too long or no text. */
  whole(): string | undefined;
  partial(): string;
  /** The end of its standard error. */
  lastWords(): string;
  lastLine(): string;
}

export function createCommandOutput(log: (text: string) => void): CommandOutput {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const partial = createKeptOutput({ head: PARTIAL / 2, tail: PARTIAL / 2 });
  const errors = createKeptOutput({ head: 0, tail: LAST_WORDS });
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  return {
    add(stream, piece) {
      log(decoders[stream].decode(piece, { stream: true }));
      if (stream === "stderr") return errors.add(stream, piece);
      partial.add(stream, piece);
      bytes += piece.byteLength;
      if (bytes <= MOST_RESULT) pieces.push(piece);
    },
    whole() {
      try {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
        return bytes <= MOST_RESULT ? text : undefined;
      } catch {
        return undefined;
      }
    },
    partial: partial.text,
    lastWords: () => errors.text().trim(),
    lastLine: () => errors.text().trim().split("\n").at(-1) ?? "",
  };
}

/** The end of a sentence that begins with the program's name. `said`: the last line of its errors. */
export function howEnded(
  { exitCode, signal }: { exitCode: number | undefined; signal: string | undefined },
  said: string,
): string {
  const how = signal === undefined ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
  const words = cleanLine(said, 300).replace(/\.$/, "");
  return words === "" ? how : `${how}; its last words were: ${words}`;
}

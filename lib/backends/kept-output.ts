import { StringDecoder } from "node:string_decoder";

/** The beginning and the end of what a program writes; the middle is left out and counted. */
export interface KeptOutput {
  add(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  /** All that is kept, in the order that it came. */
  text(): string;
}

/** `head` and `tail`: characters that are kept. Memory stays within a few times that. */
export function createKeptOutput({ head, tail }: { head: number; tail: number }): KeptOutput {
  const decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  let first = "";
  let last = "";
  let dropped = 0;

  function addText(text: string): void {
    const room = head - first.length;
    first += text.slice(0, room);
    last += text.slice(room);
    if (last.length > 4 * tail) shorten();
  }

  function shorten(): void {
    const over = Math.max(0, last.length - tail);
    dropped += over;
    last = last.slice(over);
  }

  return {
    add: (stream, bytes) => addText(decoders[stream].write(Buffer.from(bytes))),
    text() {
      shorten();
      const rest = decoders.stdout.end() + decoders.stderr.end();
      return dropped === 0
        ? first + last + rest
        : `${first}\n[${dropped} characters left out]\n${last}${rest}`;
    },
  };
}

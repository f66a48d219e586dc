/** Cuts a stream of bytes into lines; MCP over stdio is one JSON document per line. */
export interface Lines {
  /** Lines that `bytes` completes, in order, empty ones left out. Undefined: a line is too long. */
  take(bytes: Uint8Array): string[] | undefined;
}

/** `most`: bytes that one line may have. */
export function createLines(most: number): Lines {
  let pieces: Uint8Array[] = [];
  let waiting = 0;

  function whole(last: Uint8Array): string {
    const text = Buffer.concat([...pieces, last]).toString("utf8");
    pieces = [];
    waiting = 0;
    return text.trim();
  }

  return {
    take(bytes) {
      const lines: string[] = [];
      let from = 0;
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
        if (waiting + at - from > most) return undefined;
        const line = whole(bytes.subarray(from, at));
        if (line !== "") lines.push(line);
        from = at + 1;
      }
      const rest = bytes.subarray(from);
      waiting += rest.length;
      if (waiting > most) return undefined;
      // A copy: the stream may use its buffer again.
      if (rest.length > 0) pieces.push(rest.slice());
      return lines;
    },
  };
}

/** One message of a stream of server-sent events. */
export interface Frame {
  /** `message` when the stream names none. */
  event: string;
  data: string;
  /** Id in force when it came; undefined when none was ever sent. */
  id: string | undefined;
  /** Whether this very frame carried the id, so that it is the place to go on from. */
  marked: boolean;
}

/** The text of a frame; `data` is JSON, which has no line breaks outside its strings. */
export function frameText(frame: { event?: string; id?: number | string; data: unknown }): string {
  const lines = [
    ...(frame.id === undefined ? [] : [`id: ${frame.id}`]),
    ...(frame.event === undefined ? [] : [`event: ${frame.event}`]),
    `data: ${JSON.stringify(frame.data)}`,
  ];
  return `${lines.join("\n")}\n\n`;
}

/** A line that clients skip: it shows both ends that the other is there. */
export const HEARTBEAT = ": still here\n\n";

/**
 * Reads a stream piece by piece: give each piece of text, get the frames that it
 * completed. Lines end with LF, CR or CRLF, also when a piece ends between the two.
 */
export function createFrameReader(): (piece: string) => Frame[] {
  let rest = "";
  let data: string[] = [];
  let event = "";
  let id: string | undefined;
  let marked = false;
  let first = true;

  function take(line: string, frames: Frame[]): void {
    if (line === "") {
      if (data.length > 0) {
        frames.push({ event: event || "message", data: data.join("\n"), id, marked });
      }
      [data, event, marked] = [[], "", false];
      return;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id" && !value.includes("\0")) [id, marked] = [value, true];
  }

  return (piece) => {
    const text = rest + (first ? piece.replace(/^\uFEFF/, "") : piece);
    first = first && piece === "";
    const frames: Frame[] = [];
    let from = 0;
    for (const match of text.matchAll(/\r\n|\r|\n/g)) {
      // A CR at the very end may be the first half of a CRLF.
      if (match[0] === "\r" && match.index === text.length - 1) break;
      take(text.slice(from, match.index), frames);
      from = match.index + match[0].length;
    }
    rest = text.slice(from);
    return frames;
  };
}

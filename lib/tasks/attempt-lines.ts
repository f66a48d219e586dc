import { StringDecoder } from "node:string_decoder";

/** Lines out of chunks of bytes. */
export interface Lines {
  /** The lines that are whole now, without their ends; undefined once a line is longer than the limit. */
  take(bytes: Uint8Array): string[] | undefined;
}

/** `limit`: the longest line, in characters. */
export function createLines(limit: number): Lines {
  const decoder = new StringDecoder("utf8");
  let parts: string[] = [];
  let length = 0;
  let over = false;
  return {
    take(bytes) {
      if (over) return undefined;
      const [first = "", ...rest] = decoder.write(Buffer.from(bytes)).split("\n");
      parts.push(first);
      length += first.length;
      if (length > limit || rest.some((line) => line.length > limit)) {
        over = true;
        parts = [];
        return undefined;
      }
      if (rest.length === 0) return [];
      const whole = [parts.join(""), ...rest.slice(0, -1)];
      parts = [rest.at(-1)!];
      length = parts[0]!.length;
      return whole;
    },
  };
}

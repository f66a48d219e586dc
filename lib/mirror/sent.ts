import { createHash } from "node:crypto";
import type { RemoteStat } from "../ssh/remote-files.ts";

/** A file as it was when it was last sent. */
export interface Sent {
  /** Of the file here. */
  stamp: string;
  mode: number;
  /** SHA-256, hexadecimal. */
  hash: string;
  /** Of the file there, right after. */
  there: string;
}

/** Changes when somebody there writes to the file. */
export function stampOf({ size, modified }: RemoteStat): string {
  return `${size} ${modified}`;
}

export function hashOfBytes(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

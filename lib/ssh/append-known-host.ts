import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { hostKeyType } from "./host-key.ts";
import { hashName } from "./known-hosts.ts";

/** Adds one line for a host, after whatever stands there, flushed to the disk. */
export function appendKnownHost(
  file: string,
  name: string,
  key: Uint8Array,
  { hashed }: { hashed: boolean },
): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const shown = hashed ? hashName(name, randomBytes(20)) : name;
  const line = `${shown} ${hostKeyType(key)} ${Buffer.from(key).toString("base64")}\n`;
  const handle = openSync(file, "a+", 0o600);
  try {
    writeSync(handle, `${endsWithoutNewline(handle) ? "\n" : ""}${line}`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function endsWithoutNewline(handle: number): boolean {
  const { size } = fstatSync(handle);
  if (size === 0) return false;
  const last = new Uint8Array(1);
  readSync(handle, last, 0, 1, size - 1);
  return last[0] !== 10;
}

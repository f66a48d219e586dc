import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { UserError } from "../base/errors.ts";
import { elfMachine } from "./elf-machine.ts";

/** An executable here that is to lie there. */
export interface Binary {
  path: string;
  /** Bytes. */
  size: number;
  sha256: string;
  /** Undefined where only the host can tell, as for a file that the user names. */
  target: string | undefined;
}

/** Reads it once. Throws UserError for what is no executable of Linux for that processor. */
export async function readBinary(
  path: string,
  { target, processor }: { target?: string | undefined; processor: string },
): Promise<Binary> {
  const refuse = (why: string) => {
    throw new UserError(`Cannot deploy "${path}": ${why}`);
  };
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return refuse("there is no such file");
  if (!facts.isFile()) return refuse("it is no file");
  const machine = elfMachine(await headOf(path));
  if (machine === undefined) return refuse("it is no executable of Linux for x86_64 or aarch64");
  const wanted = /^(aarch64|arm64)$/.test(processor) ? "aarch64" : "x86_64";
  if (machine !== wanted) return refuse(`it is for ${machine}, the host's processor is ${wanted}`);
  return { path, size: facts.size, sha256: await hashOf(createReadStream(path)), target };
}

/** Of all pieces together, in small letters. */
export async function hashOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(20), 0, 20, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** As `scripts/compile.ts` names them. */
export function fileNameOf(target: string): string {
  return `herd-linux-${target}`;
}

/** Which target a file's name tells of. */
export function targetOfName(path: string): string | undefined {
  return /^herd-linux-(.+)$/.exec(basename(path))?.[1];
}

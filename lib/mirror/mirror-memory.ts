import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { readIfThere, replaceFile } from "../base/files.ts";
import { z } from "../base/schema.ts";
import type { Sent } from "./sent.ts";
import type { Fetched } from "./wanted.ts";

/** What is remembered of the other side: without it everything is only compared anew. */
export interface MirrorMemory {
  /** Tells this workspace from others that want the same folder there. */
  id: string;
  host: string;
  /** Named on a command line, and not by the YAML. */
  isWished: boolean;
  /** The workspace's folder there, absolute; undefined before it was reached once. */
  root: string | undefined;
  /** Everything that was listed when it was last asked for is here. */
  isWhole: boolean;
  sent: ReadonlyMap<string, Sent>;
  fetched: ReadonlyMap<string, Fetched>;
}

const File = z.object({
  v: z.literal(1),
  id: z.string().min(1),
  host: z.string().min(1),
  wished: z.boolean(),
  root: z.string().startsWith("/").optional(),
  whole: z.boolean().default(true),
  sent: z.record(
    z.string(),
    z.object({ stamp: z.string(), mode: z.number(), hash: z.string(), there: z.string() }),
  ),
  fetched: z.record(
    z.string(),
    z.object({ size: z.number(), modified: z.string(), inode: z.string() }),
  ),
});

/** Of a workspace's `.hyperherd`. */
export function mirrorMemoryPath(state: string): string {
  return join(state, "mirror.json");
}

/** Undefined where there is none, or none that can be read. */
export function readMirrorMemory(path: string): MirrorMemory | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { id, host, wished, root, whole, sent, fetched } = File.parse(JSON.parse(text));
    return {
      ...{ id, host, isWished: wished, root, isWhole: whole },
      sent: new Map(Object.entries(sent)),
      fetched: new Map(Object.entries(fetched)),
    };
  } catch {
    return undefined;
  }
}

export function freshMirrorMemory(host: string): MirrorMemory {
  return {
    ...{ id: randomUUID(), host, isWished: false, root: undefined, isWhole: true },
    sent: new Map(),
    fetched: new Map(),
  };
}

export function writeMirrorMemory(path: string, memory: MirrorMemory): void {
  const { id, host, isWished, root, isWhole, sent, fetched } = memory;
  const file = {
    ...{ v: 1, id, host, wished: isWished, root, whole: isWhole },
    sent: Object.fromEntries(sent),
    fetched: Object.fromEntries(fetched),
  };
  replaceFile(path, `${JSON.stringify(file)}\n`, 0o600);
}

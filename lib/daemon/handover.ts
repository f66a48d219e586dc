import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "../base/schema.ts";

const HandoverSchema = z.object({
  /** Version and commit of who hands over. */
  from: z.string(),
  sweeps: z.array(z.object({
    path: z.string(),
    env: z.record(z.string(), z.string()),
    noAgent: z.boolean().optional(),
  })),
  pool: z.boolean(),
  broker: z.boolean(),
});

/**
 * What a daemon gives to the one that it becomes: all that it holds and no file tells. The
 * environments may hold secrets: never logged, never written down.
 */
export type Handover = z.infer<typeof HandoverSchema>;

const NAME = "HERD_HANDOVER_";

/** Linux takes 128 KiB for a variable. Characters. */
const PIECE = 96 * 1024;

/** The handover as variables of the new program's environment; equal environments take little. */
export function handoverVariables(handover: Handover): Record<string, string> {
  const text = gzipSync(JSON.stringify(handover)).toString("base64");
  const pieces: Record<string, string> = {};
  for (let at = 0; at < text.length; at += PIECE) {
    pieces[`${NAME}${at / PIECE}`] = text.slice(at, at + PIECE);
  }
  return pieces;
}

/**
 * What this process was handed, taken out of its environment, so that no child ever gets it.
 * Undefined where it was handed nothing, or what cannot be understood.
 */
export function takeHandover(env: Record<string, string | undefined>): Handover | undefined {
  let text = "";
  for (let piece = 0; env[`${NAME}${piece}`] !== undefined; piece++) {
    text += env[`${NAME}${piece}`];
    delete env[`${NAME}${piece}`];
  }
  if (text === "") return undefined;
  try {
    const json = gunzipSync(Buffer.from(text, "base64")).toString();
    return HandoverSchema.parse(JSON.parse(json));
  } catch {
    return undefined;
  }
}

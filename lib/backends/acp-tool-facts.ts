import { createHash } from "node:crypto";
import { z } from "../base/schema.ts";

/** What an agent told of one use of a tool. */
export interface ToolFacts {
  title?: string | undefined;
  kind?: string | undefined;
  input?: unknown;
  /** Its changes of files among it. */
  content?: unknown;
}

const words = z.string().nullish().catch(undefined);
const update = z.object({
  toolCallId: z.string(),
  title: words,
  kind: words,
  rawInput: z.unknown().optional(),
  content: z.unknown().optional(),
});

/** More at once are not remembered; memory of ours is not the agent's to fill. */
const MOST = 200;
/** So much is kept of one input or content; in JSON, characters. */
const LONGEST = 100_000;

/** The tools of one prompt: an agent tells of a use piece by piece, and asks for it by its id alone. */
export function createToolFacts() {
  const known = new Map<string, ToolFacts>();
  return {
    /** What an update is about, with all that is known of it by now. */
    add(value: unknown): { id: string; facts: ToolFacts } | undefined {
      const read = update.safeParse(value);
      if (!read.success) return undefined;
      const { toolCallId: id, title, kind, rawInput, content } = read.data;
      const before = known.get(id) ?? {};
      known.delete(id);
      const facts = {
        title: title ?? before.title,
        kind: kind ?? before.kind,
        input: kept(rawInput) ?? before.input,
        content: kept(content) ?? before.content,
      };
      known.set(id, facts);
      const [oldest] = known.keys();
      if (known.size > MOST && oldest !== undefined) known.delete(oldest);
      return { id, facts };
    },
    clear: () => known.clear(),
  };
}

/** Itself, or what tells it from any other. */
function kept(value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  const text = JSON.stringify(value);
  if (text.length <= LONGEST) return value;
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { start: text.slice(0, 2_000), characters: text.length, sha256 };
}

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

/** The tools of one prompt: an agent tells of a use piece by piece, and asks for it by its id alone. */
export function createToolFacts() {
  const known = new Map<string, ToolFacts>();
  return {
    /** The id that an update is about. */
    add(value: unknown): string | undefined {
      const read = update.safeParse(value);
      if (!read.success) return undefined;
      const { toolCallId: id, title, kind, rawInput, content } = read.data;
      const before = known.get(id) ?? {};
      known.delete(id);
      known.set(id, {
        title: title ?? before.title,
        kind: kind ?? before.kind,
        input: rawInput ?? before.input,
        content: content ?? before.content,
      });
      const [oldest] = known.keys();
      if (known.size > MOST && oldest !== undefined) known.delete(oldest);
      return id;
    },
    of: (id: string) => known.get(id),
    clear: () => known.clear(),
  };
}

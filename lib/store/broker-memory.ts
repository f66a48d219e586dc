import { z } from "../base/schema.ts";
import { newMark, openMemoryFile } from "./memory-file.ts";
import type { MemoryFile } from "./memory-file.ts";

const Id = z.string().regex(/^\d{1,20}$/);
const Warning = z.enum(["soft", "window", "hard"]);

/** How far a bot's conversations got on Discord; see lib/discord/broker-memory.ts. */
const BrokerMemorySchema = z.object({
  mark: z.string().regex(/^[0-9a-z]{6,20}$/),
  seen: z.record(Id, Id).default({}),
  bots: z.array(z.tuple([Id, z.array(Id).readonly()]).readonly()).readonly().default([]),
  turns: z.record(
    Id,
    z.object({
      count: z.int().min(0),
      recent: z.array(z.number()).readonly(),
      said: z.array(Warning).readonly(),
      owed: z.object({ warning: Warning, dueAt: z.number().nullable() }).optional(),
    }).transform(({ owed, ...rest }) => ({ ...rest, owed })),
  ).default({}),
  counted: z.record(Id, Id).default({}),
  shown: z.record(
    z.string(),
    z.object({
      channelId: Id,
      ids: z.array(Id).readonly(),
      isFinal: z.boolean().optional(),
      isWhole: z.boolean().optional(),
      posting: z.object({
        at: z.int().min(0),
        content: z.string(),
        files: z.array(z.string()).readonly(),
      }).optional(),
    }),
  ).default({}),
  signs: z.record(
    z.string(),
    z.object({
      messages: z.array(z.tuple([Id, Id]).readonly()).readonly(),
      emoji: z.string().nullable(),
    }),
  ).default({}),
});

export type BrokerRecord = z.infer<typeof BrokerMemorySchema>;

export function openBrokerMemory(
  { path, onProblem }: { path: string; onProblem(message: string, error: unknown): void },
): MemoryFile<BrokerRecord> {
  return openMemoryFile({
    path,
    parse: (value) => BrokerMemorySchema.parse(value),
    fresh: BrokerMemorySchema.parse({ mark: newMark() }),
    otherwise: "what was said meanwhile may be answered by nobody",
    onProblem,
  });
}

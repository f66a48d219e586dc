import { z } from "../base/schema.ts";
import { newMark, openMemoryFile } from "./memory-file.ts";
import type { MemoryFile } from "./memory-file.ts";

const Id = z.string().regex(/^\d{1,20}$/);

/**
 * How far a sweep's Discord channel got: `.hyperherd/discord.json`. Facts are the journal's; what
 * is lost with this file is found again in the channel, or said twice at worst.
 */
const ChannelMemorySchema = z.object({
  /** Tells the sweep's channel from that of another sweep of the same name. */
  mark: z.string().regex(/^[0-9a-z]{6,20}$/),
  guildId: Id.optional(),
  channelId: Id.optional(),
  dashboardId: Id.optional(),
  /** 0: nothing was ever posted. */
  delivered: z.int().min(0).default(0),
  partly: z.object({ key: z.string(), sent: z.array(Id) }).optional(),
  seen: Id.optional(),
  streaming: Id.optional(),
  heartbeatId: Id.optional(),
  threads: z.record(z.string().regex(/^\d+$/), Id).default({}),
  threadsSeen: z.record(Id, Id).default({}),
  asides: z.record(Id, Id).default({}),
  confirmations: z.record(z.string(), Id).default({}),
});

export type ChannelRecord = z.infer<typeof ChannelMemorySchema>;

export type ChannelMemoryFile = MemoryFile<ChannelRecord>;

export interface ChannelMemoryParts {
  path: string;
  onProblem(message: string, error: unknown): void;
}

export function openChannelMemory({ path, onProblem }: ChannelMemoryParts): ChannelMemoryFile {
  return openMemoryFile({
    path,
    parse: (value) => ChannelMemorySchema.parse(value),
    fresh: ChannelMemorySchema.parse({ mark: newMark() }),
    otherwise: "the channel is looked for anew",
    onProblem,
  });
}

import { randomBytes } from "node:crypto";
import { readIfThere, replaceFile } from "../base/files.ts";
import { z } from "../base/schema.ts";

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

export interface ChannelMemoryFile {
  read(): ChannelRecord;
  /**
   * On disk when this returns. On a full or failing disk it is kept in memory, told once, and
   * written with the next change.
   */
  write(change: { [K in keyof ChannelRecord]?: ChannelRecord[K] | undefined }): void;
}

export interface ChannelMemoryParts {
  path: string;
  onProblem(message: string, error: unknown): void;
}

export function openChannelMemory({ path, onProblem }: ChannelMemoryParts): ChannelMemoryFile {
  let record = readRecord(path, onProblem);
  let failing = false;

  return {
    read: () => record,
    write(change) {
      record = { ...record, ...change } as ChannelRecord;
      try {
        replaceFile(path, `${JSON.stringify(record, null, 2)}\n`, 0o600);
        failing = false;
      } catch (error) {
        if (!failing) {
          onProblem(`Cannot write "${path}": a restart may post some things again`, error);
        }
        failing = true;
      }
    },
  };
}

function readRecord(path: string, onProblem: ChannelMemoryParts["onProblem"]): ChannelRecord {
  const fresh = {
    mark: newMark(),
    delivered: 0,
    threads: {},
    threadsSeen: {},
    asides: {},
    confirmations: {},
  };
  try {
    const text = readIfThere(path);
    return text === undefined ? fresh : ChannelMemorySchema.parse(JSON.parse(text));
  } catch (error) {
    onProblem(`Cannot read "${path}": the channel is looked for anew`, error);
    return fresh;
  }
}

function newMark(): string {
  return BigInt(`0x${randomBytes(7).toString("hex")}`).toString(36);
}

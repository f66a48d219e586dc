import { DiscordError } from "./discord-error.ts";
import type { ChannelMemory } from "./memory.ts";
import type { Id, Outgoing } from "./message.ts";
import type { DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface HeartbeatParts {
  rest: Pick<DiscordRest, "send" | "edit" | "remove">;
  memory: ChannelMemory;
  channelId(): Id | undefined;
  view(text: string): Outgoing;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/**
 * 🐾 every few minutes, in one message: edited while it is the last one in the channel, else
 * taken away and said anew below, so that quiet days do not fill the channel.
 */
export function createHeartbeat(
  { rest, memory, channelId, view, log }: HeartbeatParts,
): { beat(text: string, last: Id | undefined): Promise<void> } {
  const serial = createSerial();

  async function beat(text: string, last: Id | undefined): Promise<void> {
    const channel = channelId();
    if (channel === undefined) return;
    const old = memory.read().heartbeatId;
    try {
      if (old !== undefined && old === last) {
        await rest.edit(channel, old, view(text));
        return;
      }
      const { id } = await rest.send(channel, { ...view(text), silent: true });
      memory.write({ heartbeatId: id });
      if (old !== undefined) await rest.remove(channel, old);
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      if (error.kind === "missing" && memory.read().heartbeatId === old) {
        memory.write({ heartbeatId: undefined });
      }
      log("info", "Cannot post the heartbeat", { error: error.message });
    }
  }

  return { beat: (text, last) => serial(() => beat(text, last)) };
}

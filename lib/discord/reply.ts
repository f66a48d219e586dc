import type { Clock } from "../base/clock.ts";
import { DiscordError } from "./discord-error.ts";
import type { Interaction } from "./gateway-event.ts";
import type { Outgoing } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

export interface ReplyParts {
  rest: Pick<DiscordRest, "respond" | "editResponse" | "send">;
  clock: Clock;
}

/** Discord waits for three seconds; some of them are on the way. */
const AT_ONCE_MS = 1_500;
/** "Unknown interaction": three seconds are over, or fifteen minutes. */
const TOO_LATE = [10062, 50027, 10015];

/**
 * Answers a person who is waiting: at once when the work is quick, else "thinking…" first. What
 * comes too late for Discord is posted in the channel, unless it was private.
 */
export async function answerWith(
  { rest, clock }: ReplyParts,
  interaction: Interaction,
  work: () => Promise<Outgoing>,
  { ephemeral = false }: { ephemeral?: boolean } = {},
): Promise<void> {
  const result = work();
  const patience = new AbortController();
  const quick = await Promise.race([
    result,
    clock.sleep(AT_ONCE_MS, patience.signal).then(() => undefined, () => undefined),
  ]).finally(() => patience.abort());
  try {
    if (quick !== undefined) {
      const message = ephemeral ? { ...quick, ephemeral } : quick;
      return await rest.respond(interaction, { kind: "message", message });
    }
    await rest.respond(interaction, { kind: "defer", ephemeral });
    await rest.editResponse(interaction.applicationId, interaction.token, await result);
  } catch (error) {
    const isLate = error instanceof DiscordError && TOO_LATE.includes(error.code ?? 0);
    if (!isLate || ephemeral) throw error;
    await rest.send(interaction.channelId, await result);
  }
}

/** Kinds of events that a connection asks for; see discord.com/developers/docs/events/gateway#gateway-intents. */
export const INTENT = {
  guilds: 1 << 0,
  guildMessages: 1 << 9,
  directMessages: 1 << 12,
  /** Has to be switched on in the developer portal. */
  messageContent: 1 << 15,
} as const;

/** What a sweep's channel needs. */
export const NEEDED_INTENTS = INTENT.guilds | INTENT.guildMessages | INTENT.messageContent;

/**
 * What the daemon asks for. Direct messages are no privileged intent: a bot that joins later needs
 * no new connection.
 */
export const DAEMON_INTENTS = NEEDED_INTENTS | INTENT.directMessages;

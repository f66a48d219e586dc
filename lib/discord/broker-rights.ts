import type { Id } from "./message.ts";
import { invitation, may, type PermissionName } from "./permissions.ts";

export interface BrokerRight {
  name: PermissionName;
  /** As Discord's own pages call it. */
  label: string;
  without: string;
}

/** Exactly what a bot that converses does in a channel; nobody's messages are its to manage. */
export const BROKER_RIGHTS: readonly BrokerRight[] = [
  { name: "VIEW_CHANNEL", label: "View Channels", without: "it hears nothing there" },
  { name: "SEND_MESSAGES", label: "Send Messages", without: "it cannot answer outside of threads" },
  {
    name: "SEND_MESSAGES_IN_THREADS",
    label: "Send Messages in Threads",
    without: "it cannot answer in threads",
  },
  {
    name: "CREATE_PUBLIC_THREADS",
    label: "Create Public Threads",
    without: "answers come in the channel",
  },
  {
    name: "READ_MESSAGE_HISTORY",
    label: "Read Message History",
    without: "what is said while herd is away is missed",
  },
  { name: "ADD_REACTIONS", label: "Add Reactions", without: "there are no signs on messages" },
  { name: "ATTACH_FILES", label: "Attach Files", without: "long answers and files cannot be sent" },
];

export function lackingRights(rights: bigint): readonly BrokerRight[] {
  return BROKER_RIGHTS.filter(({ name }) => !may(rights, name));
}

/** The page on which a person adds such a bot to a server. */
export function brokerInviteUrl(applicationId: Id, guildId?: Id): string {
  const names = BROKER_RIGHTS.map(({ name }) => name);
  return invitation(applicationId, names, "bot applications.commands", guildId);
}

/** Discord's ids are beyond 2^53: text, everywhere. */
export type Id = string;

export interface Author {
  id: Id;
  /** As people of the server call them: nickname, display name, else user name. */
  name: string;
  bot: boolean;
  /** A webhook's words, whatever name they bear. */
  webhook: boolean;
}

/** Who said something or clicked, with what access is decided by. */
export interface Member {
  userId: Id;
  name: string;
  roles: readonly Id[];
  /** In the channel, as Discord computed them (interactions only); undefined: to be computed. */
  permissions: bigint | undefined;
}

/** A message as Discord tells it. */
export interface Message {
  id: Id;
  channelId: Id;
  guildId: Id | undefined;
  author: Author;
  /** Undefined where Discord does not say, as in what REST gives. */
  member: Member | undefined;
  /** "" for everybody's messages when the MESSAGE CONTENT intent is off. */
  content: string;
  mentions: { users: readonly Id[]; roles: readonly Id[]; everyone: boolean };
  /** The message that this one answers. */
  replyTo: {
    messageId: Id;
    authorId: Id | undefined;
    /** What that one says, where Discord told it along. */
    said?: { author: string; text: string };
  } | undefined;
  /** Milliseconds since the epoch. */
  at: number;
  editedAt: number | undefined;
  pinned: boolean;
  nonce: string | undefined;
  /** 0 and 19 (a reply) are what people say; others are Discord's own, such as 6, "pinned a message". */
  type: number;
  attachments: readonly { id: Id; name: string; url: string; bytes: number; contentType: string }[];
  /** Title of its first embed, by which a dashboard is known again. */
  title: string | undefined;
  /** Who is mentioned, as people call them. */
  mentioned?: readonly { id: Id; name: string }[];
  /** What else it holds: embeds' words, stickers' names, messages that it forwards. */
  extras?: readonly { kind: "embed" | "sticker" | "forward"; text: string }[];
  /** Emojis that this bot itself has put on it, where Discord says so: REST does, the gateway does not. */
  reactions?: readonly string[];
}

/** A message that is to be sent or that replaces another; every part within Discord's limits. */
export interface Outgoing {
  content?: string;
  embeds?: readonly Embed[];
  /** Rows of buttons. An empty list takes them away. */
  rows?: readonly (readonly Button[])[];
  /** Above the buttons, each in a row of its own. */
  menus?: readonly Menu[];
  files?: readonly OutgoingFile[];
  replyTo?: Id;
  /** At most 25 characters: sent again within minutes, Discord answers with the first message. */
  nonce?: string;
  /** Only these are pinged; nobody when absent, whatever the text says. */
  pings?: { users: readonly Id[] };
  /** Only the person who asked sees it; interactions only. */
  ephemeral?: boolean;
  /** No notification. */
  silent?: boolean;
}

export interface OutgoingFile {
  name: string;
  bytes: Uint8Array;
  contentType: string;
}

export interface Embed {
  title?: string;
  description?: string;
  /** 0xRRGGBB */
  color?: number;
  fields?: readonly { name: string; value: string; inline?: boolean }[];
  footer?: string;
  /** `attachment://NAME` of a file of the same message. */
  image?: string;
}

/** One line to be filled in by the person who pressed a button. */
export interface Form {
  /** As a button's. */
  id: string;
  /** At most 45 characters. */
  title: string;
  /** `most`: characters. The label has 45 at the most. */
  field: { id: string; label: string; most: number };
}

/** A list from which a person takes one. */
export interface Menu {
  /** At most 100 characters; comes back with the choice. */
  id: string;
  /** Stands there while nothing is chosen. */
  placeholder: string;
  /** 1 to 25, no value twice. */
  choices: readonly { value: string; label: string; description?: string; chosen?: boolean }[];
}

export interface Button {
  /** At most 100 characters; comes back with the click. */
  id: string;
  label: string;
  style: "primary" | "secondary" | "success" | "danger";
  emoji?: string;
  disabled?: boolean;
}

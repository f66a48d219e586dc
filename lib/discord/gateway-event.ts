import type { Id, Member, Message } from "./message.ts";
import type { Channel } from "./rest.ts";

/** What the gateway tells, as far as anything in herd listens. */
export type GatewayEvent =
  /** A new session: events since the last one may be missing, so channels are read again. */
  | { type: "ready"; me: { id: Id; name: string }; applicationId: Id; guilds: readonly Id[] }
  /** The old session goes on, and what was missed follows. */
  | { type: "resumed" }
  | { type: "message"; message: Message }
  | { type: "message-edited"; message: Message }
  | { type: "message-deleted"; id: Id; channelId: Id }
  | { type: "interaction"; interaction: Interaction }
  | { type: "channel-changed"; channel: Channel }
  | { type: "channel-deleted"; id: Id; guildId: Id }
  | { type: "thread-changed"; thread: Channel }
  | { type: "guild-here"; id: Id }
  /** `lost`: the bot was put out of it; else Discord has an outage there. */
  | { type: "guild-gone"; id: Id; lost: boolean }
  /** Roles, members or overwrites changed: what was computed of permissions is void. */
  | { type: "permissions-changed"; guildId: Id };

/** A slash command, a click, or a question for completions. */
export type Interaction =
  & {
    id: Id;
    /** Valid for 15 minutes. A secret: whoever has it can answer in our name. */
    token: string;
    applicationId: Id;
    guildId: Id | undefined;
    channelId: Id;
    /** Of a thread: the channel that it belongs to. */
    parentId: Id | undefined;
    member: Member;
    /** When it was made, milliseconds since the epoch (from its id). */
    at: number;
  }
  & (
    | {
      kind: "command";
      name: string;
      /** `list` of `/task list`. */
      sub?: string;
      options: Readonly<Record<string, OptionValue>>;
    }
    | {
      kind: "completion";
      name: string;
      sub?: string;
      options: Readonly<Record<string, OptionValue>>;
      /** The option that is being typed, and what of it. */
      focused: { name: string; value: string };
    }
    | {
      kind: "button";
      button: string;
      /** What was taken from a menu. */
      values?: readonly string[];
      /** What was typed into the form that a button had opened; `button` is the form's id. */
      fields?: Readonly<Record<string, string>>;
      message: Message;
    }
  );

export type OptionValue = string | number | boolean;

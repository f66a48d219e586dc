import type { Member } from "./message.ts";

export type Right = "look" | "act";

/** What a person may do in a sweep's channel, and why not, in a sentence for that person. */
export type Ruling = { may: true } | {
  may: false;
  why: string;
  /** Discord did not say: what can wait asks again. */
  unsure?: true;
};

/** Decides by `discord.operators`, `discord.viewers` and permissions; asks Discord where it must. */
export interface Access {
  rule(member: Member, right: Right): Promise<Ruling>;
}

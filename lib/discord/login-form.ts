import type { Right } from "./access.ts";
import { encodeButton } from "./button-id.ts";
import type { Interaction } from "./gateway-event.ts";
import type { Button, Outgoing } from "./message.ts";
import { answerWith, type ReplyParts } from "./reply.ts";
import { ruleText } from "./safe-text.ts";

/** Gives a one-time code to a login that waits for it; resolves to what came of it, in words. */
export type GiveCode = (host: string, code: string) => Promise<string>;

export interface LoginFormParts extends ReplyParts {
  /** The mark of the sweep's channel. */
  sweep: string;
  /** Undefined where no host can be logged in to. */
  giveCode: GiveCode | undefined;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  refuse(interaction: Interaction, why: string): Promise<void>;
  /** False: refused and told. */
  allowed(interaction: Interaction, right: Right, what: string): Promise<boolean>;
}

type Press = Extract<Interaction, { kind: "button" }>;

/** The form for a code where no terminal is at hand: what is typed is no message, and nobody else sees it. */
export interface LoginForm {
  open(interaction: Press, host: string): Promise<void>;
  take(interaction: Press, host: string): Promise<void>;
}

const FIELD = "code";
const MOST_CHARACTERS = 100;

export function createLoginForm(parts: LoginFormParts): LoginForm {
  const { sweep, giveCode, rest, refuse, allowed } = parts;

  async function open(interaction: Press, host: string): Promise<void> {
    if (!await allowed(interaction, "act", "login")) return;
    const id = encodeButton({ action: "login-code", sweep, args: [host] });
    if (giveCode === undefined || id === undefined) {
      return await refuse(interaction, "No code can be given here.");
    }
    const title = "A one-time code";
    const field = { id: FIELD, label: "As your device shows it now", most: MOST_CHARACTERS };
    await rest.respond(interaction, { kind: "form", form: { id, title, field } });
  }

  async function take(interaction: Press, host: string): Promise<void> {
    if (!await allowed(interaction, "act", "login")) return;
    const code = interaction.fields?.[FIELD]?.trim() ?? "";
    if (giveCode === undefined || code === "") {
      return await refuse(interaction, "No code was given.");
    }
    const { userId, name } = interaction.member;
    parts.audit("login-code", { by: `discord:${userId}`, name, host });
    await answerWith(
      parts,
      interaction,
      async () => says(await giveCode(host, code)),
      { ephemeral: true },
    );
  }

  return { open, take };
}

/** Under the post that says that a code is needed; undefined where the host's name has no room. */
export function loginButton(host: string, sweep: string): Button | undefined {
  const id = encodeButton({ action: "login", sweep, args: [host] });
  const form = encodeButton({ action: "login-code", sweep, args: [host] });
  if (id === undefined || form === undefined) return undefined;
  return { id, label: "Give the code", emoji: "🔑", style: "primary" };
}

function says(text: string): Outgoing {
  return { content: ruleText(text).slice(0, 1_900) };
}

import type { Id, Message } from "./message.ts";

/** The bot as people of a server know it. */
export interface Addressee {
  id: Id;
  /** User name, nickname; each in any case. */
  names: readonly string[];
}

/**
 * What is said to the bot, without the address: it is mentioned, one of its messages is
 * answered, or the text begins with its name (`@Herd …`, `Herd: …`, `Herd, …`). A mention of a
 * role, of somebody else or of everybody is no address; bots and webhooks are never heard.
 */
export function addressed(
  message: Pick<Message, "author" | "content" | "mentions" | "replyTo">,
  { id, names }: Addressee,
): { text: string } | undefined {
  const { author, content, mentions, replyTo } = message;
  if (author.bot || author.webhook) return undefined;
  const mention = new RegExp(`<@!?${id}>`, "g");
  const isMentioned = mentions.users.includes(id) && mention.test(content);
  const rest = afterName(content, names);
  if (isMentioned) return { text: tidy((rest ?? content).replace(mention, " ")) };
  if (rest !== undefined) return { text: tidy(rest) };
  return replyTo?.authorId === id ? { text: tidy(content) } : undefined;
}

/** `@Name …` or `Name: …` or `Name, …`; a longer word that only begins so is another one. */
function afterName(content: string, names: readonly string[]): string | undefined {
  const text = content.trimStart();
  for (const name of [...names].sort((a, b) => b.length - a.length)) {
    if (name.trim() === "") continue;
    const at = text.startsWith("@") ? 1 : 0;
    const head = text.slice(at, at + name.length);
    if (head.toLowerCase() !== name.toLowerCase()) continue;
    const rest = text.slice(at + name.length);
    if (/^\s*[:,]/.test(rest)) return rest.replace(/^\s*[:,]/, "");
    if (at === 1 && /^(\s|$)/.test(rest)) return rest;
  }
  return undefined;
}

function tidy(text: string): string {
  return text.replace(/^[\s:,]+/, "").replace(/[ \t]{2,}/g, " ").trim();
}

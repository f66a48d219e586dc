import { escapeMarkdown } from "../base/markdown.ts";
import { visible } from "../base/width.ts";

/** Breaks what Discord would show as a mention or a ping; invisible to people. */
const BREAK = "\u200b";

/**
 * Text of logs, files, names and other people as part of a post: it mentions nobody, and its
 * Markdown is shown, not obeyed. One line per line; no control or direction characters.
 */
export function plainText(text: string): string {
  return withoutMentions(escapeMarkdown(text));
}

/** The same for what may keep its Markdown: an agent's own words. */
export function withoutMentions(text: string): string {
  return text.replace(/@(?=everyone|here)/gi, `@${BREAK}`)
    .replace(/<(?=@[!&]?\d|#\d|\/|id:)/g, `<${BREAK}`);
}

/** A block in a fixed-width font, whose text can neither end it nor drive anything. */
export function codeBlock(text: string, language = ""): string {
  const safe = text.split("\n").map(visible).join("\n").replace(/`(?=`)/g, `\`${BREAK}`);
  // A backtick at the very end would become part of the fence.
  return `\`\`\`${language}\n${safe.replace(/`$/, `\`${BREAK}`)}\n\`\`\``;
}

/** What rules say, with data in it: code spans stay, other signs of Markdown are shown as they are. */
export function ruleText(text: string): string {
  return withoutMentions(
    // A fence in data would swallow the rest of the post.
    text.replace(/`(?=`)/g, `\`${BREAK}`).split("\n").map((line) =>
      line.split(/(`[^`]+`)/).map((part, i) =>
        i % 2 === 1 ? part : visible(part).replace(/[*_~|]/g, "\\$&").replace(/^([#>])/, "\\$1")
      ).join("")
    ).join("\n"),
  );
}

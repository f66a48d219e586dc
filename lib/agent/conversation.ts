import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages";

/** One message of a conversation as models get it, whatever their wire. */
export type ModelMessage = MessageParam;

/** What a person brings along, in order. */
export type SaidBlock =
  | { type: "text"; text: string }
  /** Base64 without line breaks. */
  | { type: "image"; mimeType: string; data: string };

const PICTURES: readonly string[] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/** Blocks as models read them; what is no picture of theirs is told in words. */
export function modelBlocks(blocks: readonly SaidBlock[]): ContentBlockParam[] {
  return blocks.map((block): ContentBlockParam => {
    if (block.type === "text") return textBlock(block.text);
    const { mimeType, data } = block;
    if (!PICTURES.includes(mimeType)) return textBlock(`[A picture of type ${mimeType} was here]`);
    const type = mimeType as "image/png";
    return { type: "image", source: { type: "base64", media_type: type, data } };
  });
}

export function textBlock(text: string): ContentBlockParam {
  // The API refuses empty text.
  return { type: "text", text: text.trim() === "" ? "(nothing)" : text.toWellFormed() };
}

export function blocksOf({ content }: ModelMessage): readonly ContentBlockParam[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** A conversation from what was said in it: it begins with a person and takes turns. */
export function conversationFrom(
  said: readonly { role: "person" | "agent"; text: string }[],
): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const { role, text } of said) {
    if (text.trim() === "") continue;
    const as = role === "person" ? "user" : "assistant";
    if (messages.length === 0 && as === "assistant") messages.push(says("user", "(…)"));
    const last = messages.at(-1);
    if (last?.role === as) {
      messages[messages.length - 1] = { role: as, content: [...blocksOf(last), textBlock(text)] };
    } else messages.push(says(as, text));
  }
  return closed(messages, "(no answer)");
}

/** The same with an answer at its end: two questions in a row are refused by some servers. */
export function closed(messages: readonly ModelMessage[], answer: string): ModelMessage[] {
  return messages.at(-1)?.role === "user"
    ? [...messages, says("assistant", answer)]
    : [...messages];
}

/** Words alone: without tools, pictures and thoughts, which only their own model may take back. */
export function plainConversation(messages: readonly ModelMessage[]): ModelMessage[] {
  return conversationFrom(messages.map((message) => ({
    role: message.role === "user" ? "person" : "agent",
    text: blocksOf(message).map((block) =>
      block.type === "text" ? block.text : block.type === "image" ? "[a picture]" : ""
    ).filter((text) => text !== "").join("\n\n"),
  })));
}

const OLD_PICTURE = "[an earlier picture, not shown again]";

/** With the newest pictures alone: each is sent again in each call. `units`: characters of Base64. */
export function withFewPictures(
  messages: readonly ModelMessage[],
  most: { count: number; units: number },
): ModelMessage[] {
  let { count, units } = most;
  return messages.toReversed().map((message) => {
    const blocks = blocksOf(message);
    if (message.role !== "user" || !blocks.some(({ type }) => type === "image")) return message;
    const kept = blocks.toReversed().map((block): ContentBlockParam => {
      if (block.type !== "image") return block;
      const { source } = block;
      const size = source.type === "base64" ? source.data.length : 0;
      if (count <= 0 || size > units) return { type: "text", text: OLD_PICTURE };
      count--;
      units -= size;
      return block;
    });
    return { ...message, content: kept.toReversed() };
  }).toReversed();
}

function says(role: "user" | "assistant", text: string): ModelMessage {
  return { role, content: [textBlock(text)] };
}

/** Without thoughts, which only the model that had them takes back. */
export function withoutThoughts(messages: readonly ModelMessage[]): ModelMessage[] {
  return messages.map((message) => {
    if (message.role !== "assistant") return message;
    const content = blocksOf(message).filter(({ type }) =>
      type !== "thinking" && type !== "redacted_thinking"
    );
    return { role: "assistant", content: content.length > 0 ? content : [textBlock("(thought)")] };
  });
}

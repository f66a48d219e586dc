import { isRecord } from "./mcp-schema.ts";
import { createQuote, newMark } from "./quote-data.ts";
import { RESULT_LIMIT } from "./tool.ts";
import type { ToolResult } from "./tool.ts";

/** What a tool of another program's answered, as a model gets it: marked as data and cut. */
export function answerOf(server: string, result: unknown): ToolResult {
  const isError = isRecord(result) && result["isError"] === true;
  const said = contentText(result);
  return { text: marked(server, said === "" ? "(nothing)" : said), isError };
}

/** The notice that a text was cut counts, and so do the marks around it. */
const ROOM = RESULT_LIMIT - 400;

function marked(server: string, text: string): string {
  const source = `answer of the tool server '${server}', another program`;
  const quoted = createQuote(newMark())(text, { source, limit: ROOM });
  return text.length <= ROOM
    ? quoted
    : `${quoted}\nThe answer has ${text.length} characters; ask for less`;
}

function contentText(result: unknown): string {
  if (!isRecord(result)) return "";
  const blocks = Array.isArray(result["content"]) ? result["content"] : [];
  const parts = blocks.map(blockText).filter((part) => part !== "");
  if (parts.length > 0) return parts.join("\n");
  return isRecord(result["structuredContent"]) ? jsonText(result["structuredContent"]) : "";
}

function blockText(block: unknown): string {
  if (!isRecord(block)) return "";
  switch (block["type"]) {
    case "text":
      return typeof block["text"] === "string" ? block["text"] : "";
    case "image":
    case "audio":
      return `(${block["type"]} of type ${word(block["mimeType"])}, which is left out)`;
    case "resource_link":
      return `(resource ${word(block["uri"])})`;
    case "resource": {
      const { resource } = block;
      if (!isRecord(resource)) return "";
      return typeof resource["text"] === "string"
        ? resource["text"]
        : `(resource ${word(resource["uri"])} of type ${word(resource["mimeType"])}, left out)`;
    }
    default:
      return jsonText(block);
  }
}

function word(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 200)) : '"unknown"';
}

function jsonText(value: unknown): string {
  return JSON.stringify(value) ?? "";
}

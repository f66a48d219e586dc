import { fenceAround } from "../base/fences.ts";
import { shorten } from "../base/markdown.ts";
import { visible } from "../base/width.ts";
import type { Block } from "./agent-session.ts";
import type { Attached } from "./arrival.ts";

/** The words of a text file, in a fence that they cannot close. */
export function fileBlock({ name }: Attached, content: string): Block {
  const fence = fenceAround(content);
  const end = content === "" || content.endsWith("\n") ? "" : "\n";
  return textBlock(`[File: ${oneLine(name)}]\n${fence}\n${content}${end}${fence}`);
}

/** What was said in a sound file. */
export function transcriptBlock({ name }: Attached, words: string): Block {
  const fence = fenceAround(words);
  return textBlock(`[Voice message transcript: ${oneLine(name)}]\n${fence}\n${words}\n${fence}`);
}

/** A video is not fetched; the agent can, with the tools that it has. */
export function videoBlock(attached: Attached, url: string): Block {
  return textBlock(
    `[Video attachment]\n${facts(attached)}\nurl: ${oneLine(url, 2_000)}\n` +
      "(the address ends after some hours; a fresh one comes when the file is spoken of again)",
  );
}

export function savedBlock(attached: Attached, path: string, why: string | undefined): Block {
  const reason = why === undefined ? "" : `\nnote: ${oneLine(why)}`;
  return textBlock(
    `[Attachment saved]\n${facts(attached)}\npath: ${oneLine(path, 4_096)}${reason}`,
  );
}

export function missingBlock(attached: Attached, why: string): Block {
  return textBlock(`[Attachment not available]\n${facts(attached)}\nreason: ${oneLine(why)}`);
}

export function imageBlock(mimeType: string, bytes: Uint8Array): Block {
  return { type: "image", mimeType, data: Buffer.from(bytes).toString("base64") };
}

/** Text of a file as it came: by its mark in UTF-16, else as UTF-8 with what is broken replaced. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe
    ? "utf-16le"
    : first === 0xfe && second === 0xff
    ? "utf-16be"
    : "utf-8";
  return new TextDecoder(encoding).decode(bytes).replaceAll("\0", "\ufffd");
}

function facts({ name, contentType, bytes }: Attached): string {
  const type = contentType === "" ? "unknown" : oneLine(contentType, 100);
  return `filename: ${oneLine(name)}\ncontent_type: ${type}\nsize_bytes: ${bytes}`;
}

/** No name can pretend to be another line. */
function oneLine(text: string, most = 300): string {
  return shorten(visible(text.toWellFormed()), most);
}

function textBlock(text: string): Block {
  return { type: "text", text };
}

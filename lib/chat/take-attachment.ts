import { basename } from "node:path";
import { codeSpan, escapeMarkdown, shorten } from "../base/markdown.ts";
import { pictureHeader } from "../base/picture-header.ts";
import type { Block } from "./agent-session.ts";
import type { Attached } from "./arrival.ts";
import {
  decodeText,
  fileBlock,
  imageBlock,
  missingBlock,
  savedBlock,
  transcriptBlock,
  videoBlock,
} from "./attachment-blocks.ts";
import { attachmentBytes, ATTACHMENTS, beginFile } from "./attachment-folder.ts";
import {
  ATTACHMENT_LIMITS,
  type AttachmentLimits,
  type AttachmentPlan,
  bytesText,
} from "./attachments-in.ts";
import { download, type DownloadParts } from "./download.ts";
import type { Transcribe } from "./transcribe.ts";

/** Makes a picture a JPEG whose longer side has at most `side` pixels; a failure is a value. */
export type ScalePicture = (
  bytes: Uint8Array,
  side: number,
  signal: AbortSignal,
) => Promise<{ jpeg: Uint8Array } | { cannot: string }>;

export interface AttachmentParts extends DownloadParts {
  /** The session's own; it exists. */
  folder: string;
  scale: ScalePicture | undefined;
  transcribe: Transcribe | undefined;
  /** People see what was understood of their voice messages. */
  echoTranscript: boolean;
  limits?: AttachmentLimits;
  log(text: string): void;
}

/** What became of one attachment. */
export interface Taken {
  place: "transcript" | "file" | "image";
  block: Block;
  line?: string;
  sign?: string;
}

/** Carries out a plan. What fails is told in words; only a cancel is thrown. */
export async function takeAttachment(
  plan: AttachmentPlan,
  parts: AttachmentParts,
  signal: AbortSignal,
): Promise<Taken> {
  const { attached } = plan;
  try {
    switch (plan.act) {
      case "describe":
        return { place: "file", block: videoBlock(attached, attached.url) };
      case "leave":
        return missing(attached, plan.why);
      case "save":
        return withMicrophone(plan, await save(attached, plan.why, parts, signal));
      case "inline":
      case "show":
      case "transcribe": {
        const got = await bytesOf(attached, parts, signal);
        if ("failed" in got) return missing(attached, got.failed);
        return await USES[plan.act](attached, got.bytes, parts, signal);
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    parts.log(`Cannot take in attachment ${attached.id}: ${error}`);
    return missing(attached, "it could not be saved; the log says why");
  }
}

/** Speech that nobody writes down has had a sign of its own, which people know. */
function withMicrophone({ kind }: AttachmentPlan, outcome: Taken): Taken {
  return kind === "audio" ? { ...outcome, sign: outcome.sign ?? "🎤" } : outcome;
}

/** What is made of an attachment's bytes, by the act that was planned. */
type Use = (
  attached: Attached,
  bytes: Uint8Array,
  parts: AttachmentParts,
  signal: AbortSignal,
) => Promise<Taken>;

const USES: Readonly<Record<"inline" | "show" | "transcribe", Use>> = {
  inline: (attached, bytes) =>
    Promise.resolve({ place: "file", block: fileBlock(attached, decodeText(bytes)) }),
  show,
  transcribe: hear,
};

async function show(
  attached: Attached,
  bytes: Uint8Array,
  parts: AttachmentParts,
  signal: AbortSignal,
): Promise<Taken> {
  const header = pictureHeader(bytes);
  if (header === undefined) return await keep(attached, bytes, "no model reads this format", parts);
  const original: Taken = { place: "image", block: imageBlock(`image/${header.format}`, bytes) };
  // Scaled, an animation would stand still.
  if (header.format === "gif") return original;
  const { imageSide, originalImageBytes } = parts.limits ?? ATTACHMENT_LIMITS;
  const scaled = await parts.scale?.(bytes, imageSide, signal) ??
    { cannot: "pictures are not scaled here" };
  signal.throwIfAborted();
  if ("jpeg" in scaled) return { place: "image", block: imageBlock("image/jpeg", scaled.jpeg) };
  if (bytes.byteLength <= originalImageBytes) return original;
  return await keep(attached, bytes, `it could not be made smaller: ${scaled.cannot}`, parts);
}

async function hear(
  attached: Attached,
  bytes: Uint8Array,
  parts: AttachmentParts,
  signal: AbortSignal,
): Promise<Taken> {
  const { name, contentType } = attached;
  const heard = await parts.transcribe!({ bytes, name, contentType }, signal);
  if ("text" in heard) {
    const block = transcriptBlock(attached, heard.text);
    const echo = `> 🎤 ${escapeMarkdown(shorten(heard.text.replace(/\s+/g, " "), 1_500))}`;
    return { place: "transcript", block, ...(parts.echoTranscript ? { line: echo } : {}) };
  }
  const why = `transcription failed: ${heard.failed}`;
  const kept = await keep(attached, bytes, why, parts);
  const line = `> 🎤 (transcription failed) ${codeSpan(name, 100)}: ${heard.failed}`;
  return { ...kept, line, sign: "⚠️" };
}

/** Its size is what was announced: limits that hold for several files count by that. */
async function bytesOf(
  { url, bytes: most }: Attached,
  parts: AttachmentParts,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array } | { failed: string }> {
  const pieces: Uint8Array[] = [];
  const done = await download(parts, {
    url,
    most,
    signal,
    take: (piece) => void pieces.push(piece),
  });
  return "failed" in done ? { failed: done.failed } : { bytes: Buffer.concat(pieces) };
}

async function save(
  attached: Attached,
  why: string | undefined,
  parts: AttachmentParts,
  signal: AbortSignal,
): Promise<Taken> {
  const file = await beginFile(parts.folder, attached.name);
  try {
    const { url, bytes: most } = attached;
    const done = await download(parts, { url, most, signal, take: file.write });
    if ("failed" in done) {
      await file.drop();
      return missing(attached, done.failed);
    }
  } catch (error) {
    await file.drop();
    throw error;
  }
  await file.keep();
  return saved(attached, file.path, why);
}

/** What was fetched already. */
async function keep(
  attached: Attached,
  bytes: Uint8Array,
  why: string,
  { folder, limits = ATTACHMENT_LIMITS }: AttachmentParts,
): Promise<Taken> {
  if (attachmentBytes(folder) + bytes.byteLength > limits.sessionBytes) {
    const most = bytesText(limits.sessionBytes);
    return missing(attached, `${why}; this conversation's ${most} are used up`);
  }
  const file = await beginFile(folder, attached.name);
  try {
    await file.write(bytes);
  } catch (error) {
    await file.drop();
    throw error;
  }
  await file.keep();
  return saved(attached, file.path, why);
}

function saved(attached: Attached, path: string, why: string | undefined): Taken {
  const where = codeSpan(`${ATTACHMENTS}/${basename(path)}`, 200);
  const because = why === undefined ? "" : ` (${why})`;
  return {
    place: "file",
    block: savedBlock(attached, path, why),
    line: `📎 ${nameOf(attached)} is saved for the agent as ${where}${because}`,
  };
}

function missing(attached: Attached, why: string): Taken {
  return {
    place: "file",
    block: missingBlock(attached, why),
    line: `⚠️ ${nameOf(attached)} did not reach the agent: ${why}`,
    sign: "⚠️",
  };
}

function nameOf({ name, bytes }: Attached): string {
  return `${codeSpan(name, 100)} (${bytesText(bytes)})`;
}

import type { Attached } from "./arrival.ts";

export type AttachmentKind = "audio" | "text" | "image" | "video" | "other";

/** Bytes and numbers that hold for the attachments of one turn. */
export interface AttachmentLimits {
  textBytes: number;
  textFiles: number;
  textTotalBytes: number;
  imageBytes: number;
  /** Pixels of the longer side that the agent gets. */
  imageSide: number;
  /** A picture that cannot be scaled is given as it is up to here. */
  originalImageBytes: number;
  audioBytes: number;
  /** One file that is only saved. */
  savedBytes: number;
  /** All that a session's folder holds of attachments. */
  sessionBytes: number;
}

const KIB = 1_024;
const MIB = 1_024 * KIB;

export const ATTACHMENT_LIMITS: AttachmentLimits = {
  textBytes: 512 * KIB,
  textFiles: 5,
  textTotalBytes: MIB,
  imageBytes: 10 * MIB,
  imageSide: 1_200,
  originalImageBytes: MIB,
  audioBytes: 25 * MIB,
  savedBytes: 100 * MIB,
  sessionBytes: 500 * MIB,
};

/** What becomes of one attachment; `why` is said together with it. */
export type AttachmentPlan =
  & { attached: Attached; kind: AttachmentKind }
  & (
    | { act: "transcribe" | "inline" | "show" | "describe" }
    | { act: "save"; why: string | undefined }
    | { act: "leave"; why: string }
  );

/** As the user page has them, besides `text/*`. */
const TEXT_TYPES: readonly string[] = [
  "application/json",
  "application/xml",
  "application/javascript",
  "application/x-yaml",
  "application/x-sh",
  "application/toml",
  "application/x-toml",
];

const TEXT_EXTENSIONS = new Set(
  ("txt csv log md json jsonl yaml yml toml xml rs py js ts jsx tsx go java c cpp h hpp rb sh bash " +
    "zsh fish ps1 bat sql html css scss less ini cfg conf env").split(" "),
);

const TEXT_NAMES: readonly string[] = [
  "dockerfile",
  "makefile",
  "justfile",
  "rakefile",
  "gemfile",
  "procfile",
  "vagrantfile",
  ".gitignore",
  ".dockerignore",
  ".editorconfig",
];

const IMAGE_EXTENSIONS: readonly string[] = ["png", "jpg", "jpeg", "gif", "webp"];
const VIDEO_EXTENSIONS: readonly string[] = ["mp4", "mov", "webm", "mkv", "m4v", "avi"];

/** What it is, by type and name, in the order of the user page. */
export function kindOf(
  { name, contentType }: Pick<Attached, "name" | "contentType">,
): AttachmentKind {
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  const plain = name.trim().toLowerCase();
  const dot = plain.lastIndexOf(".");
  const extension = dot < 0 ? "" : plain.slice(dot + 1);
  if (type.startsWith("audio/")) return "audio";
  if (type.startsWith("text/") || TEXT_TYPES.includes(type)) return "text";
  if (TEXT_EXTENSIONS.has(extension) || TEXT_NAMES.includes(plain)) return "text";
  if (type.startsWith("image/") || IMAGE_EXTENSIONS.includes(extension)) return "image";
  if (type.startsWith("video/") || VIDEO_EXTENSIONS.includes(extension)) return "video";
  return "other";
}

/**
 * What is to be done with each attachment of a turn, in their order; none is left out. `used`: bytes
 * that the session's folder holds already.
 */
export function planAttachments(
  attached: readonly Attached[],
  { transcribes, used, limits = ATTACHMENT_LIMITS }: {
    transcribes: boolean;
    used: number;
    limits?: AttachmentLimits;
  },
): AttachmentPlan[] {
  let texts = 0;
  let textBytes = 0;
  let room = limits.sessionBytes - used;

  function save(one: Attached, kind: AttachmentKind, why: string | undefined): AttachmentPlan {
    const plan = { attached: one, kind };
    const before = why === undefined ? "" : `${why}; `;
    if (one.bytes > limits.savedBytes) {
      const most = bytesText(limits.savedBytes);
      return { ...plan, act: "leave", why: `${before}it is larger than ${most}` };
    }
    if (one.bytes > room) {
      const most = bytesText(limits.sessionBytes);
      return { ...plan, act: "leave", why: `${before}this conversation's ${most} are used up` };
    }
    room -= one.bytes;
    return { ...plan, act: "save", why };
  }

  return attached.map((one) => {
    const kind = kindOf(one);
    const { bytes } = one;
    if (kind === "audio") {
      if (!transcribes) return save(one, kind, "speech is not transcribed here");
      if (bytes <= limits.audioBytes) return { attached: one, kind, act: "transcribe" };
      return save(one, kind, `it is larger than ${bytesText(limits.audioBytes)}`);
    }
    if (kind === "text") {
      if (bytes > limits.textBytes) {
        return save(one, kind, `it is longer than ${bytesText(limits.textBytes)}`);
      }
      if (texts >= limits.textFiles) return save(one, kind, `only ${limits.textFiles} are quoted`);
      if (textBytes + bytes > limits.textTotalBytes) {
        return save(one, kind, `only ${bytesText(limits.textTotalBytes)} in all are quoted`);
      }
      texts++;
      textBytes += bytes;
      return { attached: one, kind, act: "inline" };
    }
    if (kind === "image") {
      return bytes <= limits.imageBytes
        ? { attached: one, kind, act: "show" }
        : save(one, kind, `it is larger than ${bytesText(limits.imageBytes)}`);
    }
    if (kind === "video") return { attached: one, kind, act: "describe" };
    return save(one, kind, undefined);
  });
}

/** "512 KB", "1.5 MB": in units of 1,024 bytes, as Discord counts. */
export function bytesText(bytes: number): string {
  if (bytes < KIB) return `${bytes} bytes`;
  const [n, unit] = bytes < MIB ? [bytes / KIB, "KB"] : [bytes / MIB, "MB"];
  return `${n.toFixed(1).replace(/\.0$/, "")} ${unit}`;
}

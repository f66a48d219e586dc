import type { Paint } from "../lib/base/colors.ts";
import { displayWidth, visible } from "../lib/base/width.ts";
import type { Notice } from "../lib/actions/desk.ts";
import { prefixOf } from "../lib/words/prefix.ts";

/** Something to be read, whoever said it. */
export interface Post {
  kind: Notice["kind"];
  text: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** The sweep's name, where there are several. */
  sweep?: string;
}

/**
 * A post as lines of a terminal: time, prefix and words, wrapped with a margin.
 * Control characters in it are made visible, since it may quote a log.
 */
export function postLines(post: Post, look: { paint: Paint; columns: number }): string[] {
  const { paint } = look;
  const time = new Date(post.at).toTimeString().slice(0, 8);
  const sweep = post.sweep === undefined ? "" : `${visible(post.sweep)} `;
  const prefix = prefixOf(post.kind);
  const head = `${time} ${sweep}${prefix} `;
  const margin = " ".repeat(displayWidth(head));
  const room = Math.max(30, look.columns - displayWidth(head));
  const lines = post.text.split("\n").flatMap((line) => wrap(visible(line), room));
  const painted = `${paint.dim(time)} ${paint.bold(sweep)}${prefix} `;
  const colour = colourOf(post, paint);
  return lines.map((line, i) => `${i === 0 ? painted : margin}${colour(line)}`);
}

function colourOf({ kind, text }: Post, paint: Paint): (text: string) => string {
  // Nothing but a sign of life.
  if (kind === "agent" && text.startsWith("tick clean")) return paint.dim;
  if (kind === "warning") return paint.yellow;
  if (kind === "completed") return paint.green;
  if (kind === "running") return paint.blue;
  if (kind === "halving") return paint.magenta;
  if (kind === "task") return paint.cyan;
  if (kind === "stopped") return paint.bold;
  if (kind === "heartbeat") return paint.dim;
  return (text) => text;
}

/** At spaces; a word that is longer than a line stays whole, so that a path can be copied. */
export function wrap(line: string, width: number): string[] {
  if (displayWidth(line) <= width) return [line];
  const margin = /^\s*(?:[-*] |\d+\. )?/.exec(line)?.[0].replace(/\S/g, " ") ?? "";
  const lines: string[] = [];
  let now = "";
  for (const word of line.split(/(?<=\S)\s+/)) {
    const longer = now === "" ? word : `${now} ${word}`;
    if (now !== "" && displayWidth(longer) > width) {
      lines.push(now);
      now = margin + word;
    } else now = longer;
  }
  return [...lines, now];
}

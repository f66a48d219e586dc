import { shownText } from "../lib/base/shown.ts";
import type { Context } from "./command.ts";

export const TAIL_OPTIONS = [
  {
    name: "lines",
    short: "n",
    value: "N",
    number: "whole",
    least: 0,
    description: "Lines of each stream (default 20)",
  },
  { name: "stdout", description: "Only what the trial wrote to standard output" },
  { name: "stderr", description: "Only what the trial wrote to standard error" },
  { name: "follow", short: "f", description: "Go on showing what is written until the trial ends" },
] as const;

export type TailContext = Context<typeof TAIL_OPTIONS>;

/** A log to show. */
export interface Stream {
  name: "stdout" | "stderr";
  path: string;
}

/** Names the stream whose lines follow. */
export function header(
  { out }: Pick<TailContext, "out">,
  { name, path }: Stream,
  first: boolean,
): string {
  return `${first ? "" : "\n"}${out.paint.bold(`==> ${name}: ${path} <==`)}\n`;
}

/** To a file or a pipe a log goes as it is. */
export function safely({ out }: Pick<TailContext, "out">, text: string): string {
  return out.interactive ? shownText(text) : text;
}

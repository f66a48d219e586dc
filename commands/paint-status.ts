import type { Paint } from "../lib/base/colors.ts";
import type { Cell } from "../lib/base/table.ts";

/** A status in its colour; without colours the word alone. */
export function statusCell(paint: Paint, status: string): Cell {
  const colours: Readonly<Record<string, ((text: string) => string) | undefined>> = {
    running: paint.blue,
    queued: paint.cyan,
    submitted: paint.cyan,
    unknown: paint.yellow,
    paused: paint.magenta,
    failed: paint.red,
    pruned: paint.magenta,
    cancelled: paint.yellow,
    completed: paint.green,
    ready: paint.dim,
  };
  const colour = colours[status];
  return colour === undefined ? status : { text: status, paint: colour };
}

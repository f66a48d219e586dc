import type { Terminal } from "../lib/base/terminal.ts";
import { displayWidth, fit } from "../lib/base/width.ts";

/**
 * The line below the posts. It is written where typing goes on: what is typed
 * follows it, and Enter leaves it as it is.
 */
export function createStatusLine(out: Terminal) {
  const lines = new Map<string, string>();
  const busy = new Map<string, string>();
  let erase = () => {};

  function show(): void {
    if (!out.errorInteractive) return;
    const all = [...(busy.size > 0 ? busy : lines).values()].join(" · ");
    erase();
    if (all === "") return;
    const room = Math.max(20, Math.min(out.columns, 120) - 4);
    const text = displayWidth(all) <= room ? all : fit(all, room);
    erase = out.passing(`${out.errorPaint.dim(text)} `);
  }

  return {
    redraws: out.errorInteractive,
    show,
    set(id: string, text: string): void {
      lines.set(id, text);
      show();
    },
    busy(id: string, text: string): void {
      if (text === "") busy.delete(id);
      else busy.set(id, text);
      show();
    },
    /** Where nothing is redrawn: whether this was not the last one. */
    isNew(id: string, text: string): boolean {
      const known = lines.get(id) === text;
      lines.set(id, text);
      return !known;
    },
    forget(id: string): void {
      lines.delete(id);
      busy.delete(id);
      show();
    },
    erase(): void {
      erase();
    },
  };
}

import type { Output } from "./output.ts";
import { displayWidth, fit, visible } from "./width.ts";

/** Lines at the bottom of the terminal that are drawn again and again. */
export interface LiveRegion {
  /**
   * Shows these lines in place of the last ones. Where nothing can be redrawn
   * (a file, a pipe, a dumb terminal) only `plain` is printed, as a line, when
   * it differs from the last one.
   */
  draw(lines: readonly string[], plain?: string): void;
  /** Takes the lines away until `redraw`, for text that goes above them. */
  erase(): void;
  redraw(): void;
  /** Leaves the last lines where they are and gives the cursor back. */
  end(): void;
}

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_BELOW = "\x1b[J";

export function createLiveRegion(output: Output, redraws: boolean, onEnd: () => void): LiveRegion {
  let lines: readonly string[] = [];
  let height = 0;
  let lastPlain: string | undefined;
  let ended = false;

  function clear(): string {
    const up = height > 0 ? `\r\x1b[${height}A` : "\r";
    height = 0;
    return up + CLEAR_BELOW;
  }

  function show(): string {
    const { columns, rows } = output.size() ?? { columns: 80, rows: 24 };
    // One line is left for the cursor: a region as high as the screen scrolls at every drawing.
    const shown = lines.slice(0, Math.max(1, rows - 1));
    height = shown.length;
    return shown.map((line) => `${cutPainted(line, columns - 1)}\n`).join("");
  }

  return {
    draw(next, plain) {
      if (ended) return;
      if (!redraws) {
        if (plain !== undefined && plain !== lastPlain) output.write(`${plain}\n`);
        lastPlain = plain ?? lastPlain;
        return;
      }
      lines = next;
      // One write, so that no half-drawn region is seen.
      output.write(HIDE_CURSOR + clear() + show());
    },
    erase() {
      if (redraws && !ended) output.write(clear());
    },
    redraw() {
      if (redraws && !ended) output.write(show());
    },
    end() {
      if (ended) return;
      ended = true;
      if (redraws) output.write(SHOW_CURSOR);
      onEnd();
    },
  };
}

/** Cuts a line that may hold colours; a cut line loses them, as a wrapped line would spoil the redraw. */
function cutPainted(line: string, columns: number): string {
  if (displayWidth(line) <= columns) return line;
  // deno-lint-ignore no-control-regex -- colours are control characters
  return fit(visible(line.replace(/\x1b\[[0-9;]*m/g, "")), columns);
}

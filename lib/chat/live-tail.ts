import { type Fence, fenceAfter, fenceAtEnd, plainFences } from "../base/fences.ts";
import { wholeEnd } from "../base/split-text.ts";

/** Far more than is shown: of a long text only its end is looked at closely. */
const NEAR_END = 8_000;
/** "…", line end, three backticks, the longest name of a language, line end. */
const LONGEST_AGAIN = 1 + 1 + 3 + 32 + 1;

/**
 * The end of a text that grows: all of it in at most `most` UTF-16 units, else "…" and as much as has
 * room. A code block that was open where it is cut is opened again, one that is open at the end closed.
 */
export function liveTail(text: string, most: number): string {
  const near = plainFences(nearEnd(text));
  if (near.length <= most && text.length <= NEAR_END) return near;
  const plain = cutAt(near, near.length - (most - 1));
  if (plain.fence === undefined) return fromCut(near, plain, most);
  return fromCut(near, cutAt(near, near.length - (most - LONGEST_AGAIN)), most);
}

function fromCut(near: string, { at, fence }: Cut, most: number): string {
  const rest = near.slice(at);
  if (fence !== undefined) return `…\n\`\`\`${fence.language}\n${rest}`;
  const isLineStart = at === 0 || near[at - 1] === "\n";
  return isLineStart && rest !== "" && rest.length + 2 <= most ? `…\n${rest}` : `…${rest}`;
}

/** The last lines, begun with the fence that was open in front of them. */
function nearEnd(text: string): string {
  if (text.length <= NEAR_END) return text;
  const from = text.length - NEAR_END;
  const newline = text.indexOf("\n", from);
  const at = newline === -1 || newline > from + 1_000 ? from : newline + 1;
  const fence = fenceAtEnd(text.slice(0, at));
  const rest = text.slice(at);
  return fence === undefined ? rest : `${fence.line}\n${rest}`;
}

interface Cut {
  at: number;
  /** Open there. */
  fence: Fence | undefined;
}

/** The first place from `least` on that is neither within a character nor within a fence's line. */
function cutAt(text: string, least: number): Cut {
  let fence: Fence | undefined;
  let start = 0;
  for (const line of text.split("\n")) {
    const end = start + line.length;
    const next = fenceAfter(line, fence);
    const behind = Math.min(end + 1, text.length);
    if (end >= least) {
      const isFence = next !== fence;
      if (isFence && next === undefined) return { at: behind, fence: undefined };
      if (least <= start) return { at: start, fence };
      if (isFence) return { at: behind, fence: next };
      return { at: start + characterFrom(line, least - start), fence };
    }
    fence = next;
    start = end + 1;
  }
  return { at: text.length, fence: undefined };
}

/** The first place from `least` on that is between two characters as people see them. */
function characterFrom(line: string, least: number): number {
  for (let at = least; at < Math.min(line.length, least + 64); at++) {
    if (wholeEnd(line, at) === at) return at;
  }
  return /[\udc00-\udfff]/.test(line[least] ?? "") ? least + 1 : least;
}

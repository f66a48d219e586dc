import { SIGN_TIMING, type WantedSigns } from "./signs.ts";

/** What is on the messages, and what has been wanted since when. */
export interface ShownSigns {
  readonly emojis: ReadonlyMap<string, readonly string[]>;
  readonly waiting: { readonly emoji: string | undefined; readonly since: number } | undefined;
}

export const NOTHING_SHOWN: ShownSigns = { emojis: new Map(), waiting: undefined };

export interface SignStep {
  do: "add" | "remove";
  message: string;
  emoji: string;
}

export interface NextSigns {
  /** In this order: what is new is added before what is old is removed. */
  steps: readonly SignStep[];
  /** What is shown when all of them are done. */
  shown: ShownSigns;
  /** When to ask again, if nothing else happens; milliseconds since the epoch. */
  wakeAt: number | undefined;
}

/**
 * What is to be done so that what is shown becomes what is wanted. A change of the last message's sign
 * has to last for `debounceMs` first, unless it is urgent or there is none yet.
 */
export function nextSigns(
  shown: ShownSigns,
  wanted: WantedSigns,
  now: number,
  debounceMs = SIGN_TIMING.debounce,
): NextSigns {
  const last = [...wanted.emojis.keys()].at(-1);
  const emoji = last === undefined ? undefined : wanted.emojis.get(last);
  const has = last === undefined ? [] : shown.emojis.get(last) ?? [];
  const isChange = emoji !== undefined && !has.includes(emoji) && has.length > 0;
  const since = shown.waiting?.emoji === emoji && isChange ? shown.waiting!.since : now;
  const isHeld = isChange && !wanted.urgent && now - since < debounceMs;
  const kept = isHeld ? last : undefined;
  const steps = stepsFor(shown.emojis, wanted.emojis, kept);
  const wakes = [isHeld ? since + debounceMs : undefined, wanted.changesAt];
  return {
    steps,
    shown: { emojis: after(shown.emojis, steps), waiting: isHeld ? { emoji, since } : undefined },
    wakeAt: wakes.filter((at) => at !== undefined).sort((a, b) => a - b)[0],
  };
}

/** Messages that are wanted nowhere lose what they have; `kept` is left as it is. */
function stepsFor(
  shown: ShownSigns["emojis"],
  wanted: WantedSigns["emojis"],
  kept: string | undefined,
): SignStep[] {
  const add: SignStep[] = [];
  const remove: SignStep[] = [];
  for (const [message, emoji] of wanted) {
    if (message === kept || emoji === undefined) continue;
    if (!shown.get(message)?.includes(emoji)) add.push({ do: "add", message, emoji });
  }
  for (const [message, emojis] of shown) {
    if (message === kept) continue;
    for (const emoji of emojis) {
      if (wanted.get(message) !== emoji) remove.push({ do: "remove", message, emoji });
    }
  }
  return [...add, ...remove];
}

function after(shown: ShownSigns["emojis"], steps: readonly SignStep[]): ShownSigns["emojis"] {
  const emojis = new Map(shown);
  for (const { do: what, message, emoji } of steps) {
    const before = emojis.get(message) ?? [];
    const next = what === "add" ? [...before, emoji] : before.filter((one) => one !== emoji);
    if (next.length > 0) emojis.set(message, next);
    else emojis.delete(message);
  }
  return emojis;
}

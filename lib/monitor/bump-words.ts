import type { Request } from "../actions/desk.ts";
import { readMemory, readTimeLimit } from "./quantity-words.ts";
import { readTrials } from "./trial-words.ts";

export interface WordSettings {
  /** How much "more" is, in per cent. */
  bumpPercent: number;
}

const WHAT = String.raw`(mem|memory|ram|slurm\.mem|time|time limit|wall ?time|slurm\.time)`;
const RESUBMIT =
  /(?:,| and| then|, and| and then) (?:re-?submit|retry|re-?run|restart)(?: (?:it|them|(?:the |all )?failed(?: trials| ones)?|(?:the )?affected(?: trials| ones)?))?$/;
const FOR_TRIALS =
  /(?:,)? (?:for|of|on) (?:only )?(?:trials? |idx )?#?(\d[\d\s,&#-]*(?:and \d+)?)$/;

type Amount = { percent: number } | { to: number } | { unclear: string };

/**
 * "bump mem to 16G", "bump time by 50%", "give it more time", with "for trial 3"
 * and "and resubmit failed trials" after it. What failed for want of it is
 * submitted again in any case, as the user page has it.
 */
export function readBump(
  said: string,
  settings: WordSettings,
): { request: Request } | { unclear: string } | undefined {
  const bare = said.replace(RESUBMIT, "");
  const trialText = FOR_TRIALS.exec(bare)?.[1];
  const trials = trialText === undefined ? undefined : readTrials(trialText);
  if (trialText !== undefined && trials === undefined) return undefined;
  const core = trialText === undefined ? bare : bare.replace(FOR_TRIALS, "");
  const match = formOf(core);
  if (match === undefined) return undefined;
  const what = /mem|ram/.test(match.what) ? "memory" : "time";
  const amount = amountOf(what, match.amount, settings);
  if (amount === undefined || "unclear" in amount) return amount;
  const request: Request = { verb: "bump", what, ...amount, resubmit: true };
  return { request: trials === undefined ? request : { ...request, trials } };
}

const FORMS: readonly RegExp[] = [
  new RegExp(
    `^(?:bump|increase|raise|up|set|change) (?:the )?(?:slurm )?(?<what>${WHAT})(?<amount> (?:to|by) .+)?$`,
  ),
  new RegExp(
    `^(?:give|allow|let) (?:it|them|trials|the trials|the jobs|everything)(?: have)? more (?<what>${WHAT})(?<amount>)$`,
  ),
  new RegExp(`^more (?<what>${WHAT})(?<amount>)$`),
  new RegExp(`^(?<amount>double|triple) (?:the )?(?:slurm )?(?<what>${WHAT})$`),
];

function formOf(said: string): { what: string; amount: string } | undefined {
  for (const form of FORMS) {
    const groups = form.exec(said)?.groups;
    if (groups === undefined) continue;
    const amount = (groups["amount"] ?? "").trim();
    // "set mem" says nothing.
    if (amount === "" && /^(?:set|change) /.test(said)) return undefined;
    return { what: groups["what"]!, amount };
  }
  return undefined;
}

function amountOf(
  what: "memory" | "time",
  text: string,
  { bumpPercent }: WordSettings,
): Amount | undefined {
  if (text === "") return { percent: bumpPercent };
  if (text === "double") return { percent: 100 };
  if (text === "triple") return { percent: 200 };
  const percent = /^by (\d{1,4}(?:\.\d+)?) ?(?:%|percent|per cent)$/.exec(text)?.[1];
  if (percent !== undefined) return Number(percent) > 0 ? { percent: Number(percent) } : undefined;
  const value = /^to (.+)$/.exec(text)?.[1];
  if (value === undefined) return undefined;
  const read = what === "memory" ? readMemory(value) : readTimeLimit(value);
  if (read === "ambiguous") return { unclear: askUnit(what, value) };
  return read === undefined ? undefined : { to: read };
}

function askUnit(what: "memory" | "time", value: string): string {
  return what === "memory"
    ? `In which unit? Say "bump mem to ${value}G" or "bump mem to ${value}M".`
    : `In which unit? Say "bump time to ${value.replace(":", "h ")}${
      value.includes(":") ? "m" : "h"
    }"${value.includes(":") ? "" : ` or "bump time to ${value} min"`}.`;
}

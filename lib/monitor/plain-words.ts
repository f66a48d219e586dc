import type { Request } from "../actions/desk.ts";
import type { Direction } from "../sweep/ranking.ts";
import { readBump } from "./bump-words.ts";
import type { WordSettings } from "./bump-words.ts";
import { readSpan } from "./quantity-words.ts";
import { readObjective } from "./objective-words.ts";
import { readTrials } from "./trial-words.ts";

/** What a message of plain words asks for. */
export type PlainWords =
  | { request: Request }
  /** `pause` ends the loop, as the user page has it; trials go on. */
  | { intent: "pause" | "status" | "retry-failed" }
  /** Direction undefined: the name does not say. Metric "none" is none. */
  | { intent: "metric"; metric: string; direction: Direction | undefined }
  /** `which`: id or number of the confirmation, when one was named. */
  | { intent: "yes" | "no"; which: string | undefined }
  /** What is wanted is clear and how much is not: the reply to give. */
  | { unclear: string };

/** A sentence of a person's is rarely longer; what is longer says more than these rules know. */
const MOST_CHARACTERS = 160;

/**
 * Reads the phrases of the user page by strict rules: the whole message must be
 * one, so that "don't stop" and "why did trial 3 stop?" are left to somebody who
 * understands them. Undefined for everything else, slash commands too.
 */
export function plainWords(
  text: string,
  settings: WordSettings = { bumpPercent: 50 },
): PlainWords | undefined {
  if (text.length > MOST_CHARACTERS || text.trim().startsWith("/")) return undefined;
  const original = stripped(text);
  const said = original.toLowerCase();
  if (said === "") return undefined;
  if (STATUS.test(said.replace(/\?+$/, ""))) return { intent: "status" };
  // Whoever asks whether to stop has not said to stop.
  if (said.includes("?")) return undefined;
  if (
    /^(?:pause|stop|halt)(?: (?:it|the (?:loop|daemon|monitor)|now|it now))?$/
      .test(said)
  ) {
    return { intent: "pause" };
  }
  if (/^(?:pause|stop|halt|cancel|kill) (?:everything|the (?:whole )?sweep|it all)$/.test(said)) {
    return { unclear: WHICH_STOP };
  }
  return readConfirmation(said) ?? readTrialVerb(said) ?? readBump(said, settings) ??
    readSchedule(said) ?? readMetric(original);
}

/** Ending the monitor and ending the trials are far apart. */
const WHICH_STOP =
  'Say "pause" to end the monitor while its trials go on, or "cancel all trials" to stop these.';

const STATUS =
  /^(?:status|how(?:'s| is) (?:it|everything|the sweep) (?:going|doing|looking)|how are (?:things|we doing|you doing)|how goes it|how far (?:are we|is it|along are we)|what(?:'s| is) (?:up|the status|happening|going on)|any (?:news|progress|updates?)|progress|update|status (?:update|report|please)|give me (?:a |the )?(?:status|update))$/;

function stripped(text: string): string {
  return text.trim().replace(/\s+/g, " ").replace(/[\u2018\u2019]/g, "'").replace(
    /^["'`]+|["'`]+$/g,
    "",
  )
    .replace(
      /^(?:(?:please|hey|hi|ok|okay|herd|now|just|can you please|could you please),? )+/i,
      "",
    )
    .replace(/(?:,? (?:please|thanks|thank you|now))*[.!\s]*$/i, "")
    .trim();
}

function readConfirmation(said: string): PlainWords | undefined {
  const match =
    /^(yes|y|yep|yeah|confirm(?:ed)?|approve[d]?|do it|go ahead|no|n|nope|deny|denied|reject(?:ed)?|don't)(?:[ ,]+(?:to )?#?([\w-]{1,40}))?$/
      .exec(said);
  if (match === null) return undefined;
  const which = match[2];
  // Ids hold a digit; "no problem" and "yes please" answer nothing by name.
  if (which !== undefined && !/\d/.test(which)) return undefined;
  return { intent: /^(?:n|no|nope|den|rej|don)/.test(match[1]!) ? "no" : "yes", which };
}

const TRIALS = String
  .raw`(?:trials? |ind(?:ex|ices) |idx |jobs? )?(?:#)?(\d[\d\s,&#-]*(?:and \d+)?)`;
const ON_TRIALS = new RegExp(
  `^(cancel|kill|stop|retry|re-?run|resubmit|run|submit|pause|prune|resume|continue|unpause) ${TRIALS}$`,
);

function readTrialVerb(said: string): PlainWords | undefined {
  if (/^(?:continue|go on|carry on|resume|unhalt|keep going|proceed)$/.test(said)) {
    return { request: { verb: "continue" } };
  }
  if (
    /^(?:retry|re-?run|resubmit|run) (?:the |all |all the )?(?:failed|failures)(?: (?:trials|ones|jobs))?(?: again)?$/
      .test(said)
  ) {
    return { intent: "retry-failed" };
  }
  if (
    /^(?:cancel|kill|stop) (?:all|all (?:of )?(?:the )?(?:live |running )?trials|every trial)$/
      .test(said)
  ) {
    return { request: { verb: "stop", indices: "all" } };
  }
  if (/^(?:run|submit) (?:all|everything|the rest|all (?:the )?(?:ready )?trials)$/.test(said)) {
    return { request: { verb: "run" } };
  }
  const match = ON_TRIALS.exec(said);
  const indices = match === null ? undefined : readTrials(match[2]!);
  if (match === null || indices === undefined) return undefined;
  switch (match[1]) {
    case "cancel":
    case "kill":
    case "stop":
      return { request: { verb: "stop", indices } };
    case "pause":
      return { request: { verb: "pause", indices } };
    case "prune":
      return { request: { verb: "prune", indices } };
    case "resume":
    case "continue":
    case "unpause":
      return { request: { verb: "resume", indices } };
    default:
      return { request: { verb: "run", indices } };
  }
}

function readSchedule(said: string): PlainWords | undefined {
  const match =
    /^(?:tick|check|check back|check in|look|look again|next tick|update me|report)(?: again)? (?:every|in|each) (.+)$/
      .exec(said);
  const seconds = match === null ? undefined : readSpan(match[1]!);
  return seconds === undefined ? undefined : { request: { verb: "schedule", seconds } };
}

function readMetric(said: string): PlainWords | undefined {
  const named =
    /^(?:set|change|switch) (?:the )?(?:success )?(?:metric|objective) to (.+)$/i.exec(said)?.[1] ??
      /^use ([\w./@:+-]+) as (?:the |our )?(?:metric|objective)$/i.exec(said)?.[1] ??
      /^(?:maxi?mi[sz]e|mini?mi[sz]e) .+$/i.exec(said)?.[0];
  const words = named === undefined ? undefined : readObjective(named);
  if (words === undefined || "direction" in words) return undefined;
  if ("metric" in words) return { intent: "metric", metric: words.metric, direction: undefined };
  return words.objective === "none"
    ? { intent: "metric", metric: "none", direction: undefined }
    : { intent: "metric", ...words.objective };
}

/** The reply to what nobody here understands: what can be said. */
export function helpForUnclear(): string {
  return [
    "I did not understand that. You can say:",
    '- "how\'s it going?" for a summary, "pause" to end the monitor',
    '- "retry 4", "retry failed trials", "cancel 3", "pause 3", "resume 3", "prune 3"',
    '- "bump mem to 16G", "bump time by 50%", "give it more time"',
    '- "set metric to val_acc", "tick every 10 min"',
    '- "continue" after a halt, "yes" or "no" to what was asked',
    "- /help for the commands",
  ].join("\n");
}

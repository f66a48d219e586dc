import type { MetricSource } from "../sweep/config.ts";

const NEGATED_FIX =
  /\b(?:(?:don'?t|do not|never) (?:\w+ ){0,2}?|(?:not|no|without|stop) )(?:remediat|fix|repair|bump|retry|resubmit|touch|change|heal)/;
const FIX =
  /\b(?:remediat\w*|fix\w*|repair\w*|bump\w*|retry\w*|retries|resubmit\w*|heal\w*|automatic\w*|auto)\b/;
const TELL = /\b(?:notif\w*|tell|alert\w*|warn\w*|inform|ping|message|let me know|report)\b/;
const NEGATION = /\b(?:don'?t|do not|never|not|no|nope|without)\b/;
const YES =
  /^(?:y|yes|yep|yeah|yup|sure|ok|okay|please|please do|go ahead|of course|absolutely|do it)\b/;
const NO = /^(?:n|no|nope|nah|no thanks|no thank you|hands off|please don'?t|don'?t|rather not)$/;

/** Reads "yes please fix things", "just tell me". Undefined where the words do not say, or say both. */
export function readRemediation(text: string): "remediate" | "notify" | undefined {
  const said = text.trim().toLowerCase().replace(/’/g, "'").replace(/[.!,;*`"]+/g, " ")
    .replace(/\s+/g, " ").trim();
  if (said.length > 120 || said.includes("?")) return undefined;
  if (NO.test(said) || NEGATED_FIX.test(said)) {
    return TELL.test(said) || !YES.test(said) ? "notify" : undefined;
  }
  const negated = NEGATION.test(said);
  const [fix, tell] = [FIX.test(said), TELL.test(said)];
  if (negated) return undefined;
  // Who is told of a repair may say so: "fix things and tell me".
  if (fix) return tell && !/\band\b/.test(said) ? undefined : "remediate";
  if (tell) return "notify";
  return YES.test(said) ? "remediate" : undefined;
}

const SOURCES: readonly [RegExp, MetricSource][] = [
  [
    /^(?:from |in |on |use |via |it'?s in )*(?:wandb|w&b|w and b|weights ?(?:&|and) ?biases)$/,
    "wandb",
  ],
  [
    /^(?:from |in |on |use |via |it'?s in )*(?:the )?(?:results?(?:[-_ ]?(?:json|files?|folder|dir(?:ectory)?))?|json|log_result|files?|streams?)$/,
    "results-json",
  ],
  [/^(?:none|nothing|nowhere|no|n\/a|don'?t|no metric)$/, "none"],
];

/** Reads "wandb", "results json", "none"; HyperHerd's `log_result` is the results files. */
export function readSource(text: string): MetricSource | undefined {
  const said = text.trim().toLowerCase().replace(/[.!,;*`"]+$/g, "").replace(/^[*`"]+/, "")
    .replace(/\s+/g, " ").replace(/\bresults?\.json\b/, "results-json").replace(
      /^please |,? please$/g,
      "",
    );
  return SOURCES.find(([pattern]) => pattern.test(said))?.[1];
}

/** What to run again after a post-mortem: "none", "failed", "all", or indices such as "3,5-7". */
export function readRerun(text: string): string | undefined {
  const said = text.trim().toLowerCase().replace(/[.!`"]+$/g, "").replace(/\s+/g, " ")
    .replace(/^(?:please |yes,? )+|,? please$/g, "");
  if (
    /^(?:halt|stop|none|nothing|no|nope|no thanks|skip|defaults|done|exit|quit|leave(?: it)?|we'?re done|that'?s all)$/
      .test(said)
  ) {
    return "none";
  }
  const again =
    /^(?:(?:re-?run|retry|resubmit|run|repeat) )?(?:the )?(?:trials? |ind(?:ex|ices) |idx )?(.+?)(?: again)?$/
      .exec(said)?.[1] ?? "";
  if (
    /^(?:failed|failures|failed ones|failed trials|the failed (?:ones|trials)|what failed)$/.test(
      again,
    )
  ) return "failed";
  if (/^(?:all|everything|all of (?:them|it)|all trials)$/.test(again)) return "all";
  const indices = again.replace(/\band\b|&/g, ",").replace(/#/g, "").replace(/\s*-\s*/g, "-")
    .split(/[\s,]+/).filter((part) => part !== "");
  const plain = indices.length > 0 && indices.every((part) => /^\d{1,7}(?:-\d{1,7})?$/.test(part));
  return plain ? indices.join(",") : undefined;
}

import type { Objective } from "../sweep/config.ts";
import type { Direction } from "../sweep/ranking.ts";
import { directionWord, guessDirection, readDirection } from "./direction.ts";

/** What somebody said about the objective. */
export type ObjectiveWords =
  | { objective: Objective }
  /** The metric without a direction that could be told. */
  | { metric: string }
  /** A direction without a metric. */
  | { direction: Direction }
  | undefined;

/** One word, as trainers log metrics: `val/acc`, `eval.f1@5`, `top-1`. */
const METRIC = String.raw`[A-Za-z_][\w./@:+-]{0,199}`;
const NOT_METRICS =
  /^(?:the|a|an|it|this|that|what|why|how|when|who|yes|no|ok|okay|hi|hello|hey|thanks|please|metric|is|idk|unsure|whatever|dunno|defaults?|skip|you|me|i|everything|results?|trials?|sweep)$/i;

const UP_WORDS =
  "max|maxi?mi[sz](?:e|ing)|maximum|higher|highest|bigger|increase|increasing|raise|best";
const DOWN_WORDS =
  "min|mini?mi[sz](?:e|ing)|minimum|lower|lowest|smaller|smallest|decrease|reduce|reducing";
const LEAD =
  /^(?:please |just |well,? |i(?:'d| would) (?:like|want) to |i want to |we want to |we(?:'re| are) |i(?:'m| am) |let'?s |try to |to )+/i;

const FORMS: readonly { pattern: RegExp; metric: number; direction: number }[] = [
  // max val_acc, minimise the loss, lower val/loss is better
  form(
    `^(${UP_WORDS}|${DOWN_WORDS})[:,]? (?:the |our |my )?(${METRIC})(?: (?:metric|is (?:better|best)))?$`,
    2,
    1,
  ),
  // val_acc max; val_acc, max; val_acc (maximize); loss: lower is better
  form(
    `^(?:the )?(${METRIC}) ?[,:(-]* ?\\(?(${UP_WORDS}|${DOWN_WORDS})(?: is (?:better|best))?\\)?$`,
    1,
    2,
  ),
  // loss should be minimized, the accuracy should go up
  form(
    `^(?:the )?(${METRIC})(?:,)? (?:should|must|has to) (?:be |go )?(maxi?mi[sz]ed|mini?mi[sz]ed|high|higher|low|lower|up|down)$`,
    1,
    2,
  ),
];

function form(source: string, metric: number, direction: number) {
  return { pattern: new RegExp(source, "i"), metric, direction };
}

/** Reads "max val_acc", "minimise the loss", "lower val/loss is better", "accuracy", "none". By rules alone. */
export function readObjective(text: string): ObjectiveWords {
  const said = text.trim().replace(/\s+/g, " ").replace(/[`"'*<>]/g, "").replace(/[.;]+$/, "")
    .replace(/,? please$/i, "")
    .replace(LEAD, "");
  if (/^(?:none|nothing|no|n\/a|no (?:metric|objective)|nothing in particular)$/i.test(said)) {
    return { objective: "none" };
  }
  for (const { pattern, metric, direction } of FORMS) {
    const match = pattern.exec(said);
    const name = trimmed(match?.[metric]);
    if (name !== undefined) {
      return { objective: { metric: name, direction: directionOf(match![direction]!) } };
    }
  }
  const bare = readDirection(said);
  if (bare !== undefined) return { direction: bare };
  const alone = new RegExp(`^(?:the |metric:? ?(?:is )?)?(${METRIC})$`, "i").exec(said);
  const metric = trimmed(alone?.[1]);
  if (metric === undefined) return undefined;
  const direction = guessDirection(metric);
  return direction === undefined ? { metric } : { objective: { metric, direction } };
}

/** "maximize val_acc", "none": the form that answers are kept in. */
export function objectiveText(objective: Objective): string {
  return objective === "none"
    ? "none"
    : `${directionWord(objective.direction)} ${objective.metric}`;
}

function trimmed(name: string | undefined): string | undefined {
  const metric = name?.replace(/[.:,+-]+$/, "");
  return metric === undefined || metric === "" || NOT_METRICS.test(metric) ? undefined : metric;
}

function directionOf(word: string): Direction {
  return /^(?:max|high|bigger|increas|raise|best|up)/i.test(word) ? "max" : "min";
}

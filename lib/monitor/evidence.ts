import type { Attempt } from "../sweep/attempt.ts";
import type { Status } from "../sweep/status.ts";

/** What a trial has left so far. */
export interface Traces {
  status: Status;
  attempt: Attempt | undefined;
  /** Seconds since the epoch of its newest metric point, 0 when the point has no time; undefined for none. */
  metricAt: number | undefined;
  /** The ends of its logs. Files are appended to: only what follows the last divider is of this attempt. */
  logs: readonly string[];
}

/** Clocks of nodes differ a little. */
const SLACK_SECONDS = 120;
/** Longer lines are dumps and hostile ones; their beginning tells as much. */
const MOST_OF_A_LINE = 2_000;

/** Whether its latest attempt trains or has done so: it succeeded, logged a metric, or prints what trainers print. */
export function givesEvidence({ status, attempt, metricAt, logs }: Traces): boolean {
  if (status === "completed") return true;
  // Files of earlier attempts are still there while a new one waits.
  if (attempt?.startedAt === undefined) return false;
  return isOfAttempt(metricAt, attempt) || logs.some((log) => trainingLine(log) !== undefined);
}

function isOfAttempt(metricAt: number | undefined, attempt: Attempt): boolean {
  if (metricAt === undefined) return false;
  if (metricAt === 0) return attempt.number === 1 && attempt.restarts === 0;
  return metricAt >= (attempt.startedAt ?? Infinity) / 1000 - SLACK_SECONDS;
}

/** The last line since the script's divider that only a training loop prints; undefined when there is none. */
export function trainingLine(log: string): string | undefined {
  const lines = log.split(/[\n\r]/);
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = plain(lines[i]!);
    if (DIVIDER.test(line)) return undefined;
    if (isTraining(line)) return line;
  }
  return undefined;
}

const DIVIDER = /^===== herd: trial \d+, attempt .* =====$/;

// deno-lint-ignore no-control-regex
const ESCAPES = /\u001b\[[0-?]*[ -/]*[@-~]|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

function plain(line: string): string {
  return line.slice(0, MOST_OF_A_LINE).replace(ESCAPES, "").trim();
}

const NUMBER = String.raw`[-+]?(?:\.?\d|nan\b|inf)`;

/** A measured value beside its name: nothing but training (or evaluating) gives one. */
const MEASURED: readonly RegExp[] = [
  // loss=0.42, 'loss': 0.42, train/loss_step=0.42, Loss 0.42
  new RegExp(String.raw`(?<![a-z])loss(?:_step|_epoch)?["']?\s*(?:[:=]\s*|\s)["']?${NUMBER}`, "i"),
  new RegExp(
    String
      .raw`(?<![a-z])(?:acc|accuracy|ppl|perplexity|reward|auc|auroc|f1|bleu|psnr|iou|rmse|grad_norm)["']?\s*[:=]\s*["']?${NUMBER}`,
    "i",
  ),
  // XGBoost "[12] train-rmse:0.3", LightGBM "[10] valid_0's l2: 0.2", CatBoost "0: learn: 0.69"
  new RegExp(String.raw`^\[\d+\]\s+[\w'@-]\S*.*[:=]\s*${NUMBER}`, "i"),
  new RegExp(String.raw`^\d+:\s+learn:\s*${NUMBER}`, "i"),
  // Stable-Baselines3's table
  /^\|\s*(?:[\w/]+\/\s*)?(?:ep_rew_mean|ep_len_mean|total_timesteps|n_updates)\s*\|\s*-?\d/,
];

/** Counters of a loop: a setup may count as well, so these need a line without words of a setup. */
const COUNTED: readonly RegExp[] = [
  // Epoch 1/10, epoch: 3, epoch=3, [Epoch 1], Epoch [1/10]
  /(?<![\w.-])epoch["']?\s*[:=#([]?\s*\[?\d/i,
  /(?<![\w.-])(?:global[_ ])?(?:step|iter|iteration|batch|episode)\s*[:=#([]?\s*\[?\d+\s*(?:\/|of)\s*\d/i,
  /(?<![\w.-])(?:global[_ ]step|step|iter|iteration|episode)(?:\s*=\s*|\s*:\s*|\s+|\s*\[\s*)\d+\b[\])]?\s*(?:$|[,;|]|[-–:]?\s*[\w/]+\s*[:= ]\s*-?\d)/i,
  // Rates of progress bars: tqdm, Lightning, Keras. Downloads count bytes.
  /\d\s*(?:it|iters?|steps?|batch(?:es)?|samples?|img|images?|tok|tokens?)\/s(?:ec)?\b/i,
  /\d\s*m?s\/(?:it|iter|step|batch|epoch)\b/i,
];

const SETTING_UP =
  /\b(?:load(?:ed|s|ing)?|download\w*|install\w*|prepar\w*|build(?:ing)?|initiali[sz]\w*|compil\w*|resum\w*|restor\w*|import\w*|extract\w*|unpack\w*|tokeni[sz](?:er|ing|ed?)|preprocess\w*|map(?:ping)?|filter(?:ing)?|cach(?:e|ing)|copying|collect\w*|sanity|generating|setup|set-up|fetch\w*)\b/i;

/** SLURM's own words ("STEP 12.0 ON n1 CANCELLED"), and messages that quote numbers. */
const NOT_TRAINING =
  /^(?:slurmstepd|slurmd|srun|sbatch|salloc)\b|\b\w*(?:Warning|Error|Exception):/;

function isTraining(line: string): boolean {
  if (line === "" || NOT_TRAINING.test(line)) return false;
  if (MEASURED.some((pattern) => pattern.test(line))) return true;
  return !SETTING_UP.test(line) && COUNTED.some((pattern) => pattern.test(line));
}

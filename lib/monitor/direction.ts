import type { Direction } from "../sweep/ranking.ts";

const UP = [
  "acc",
  "accuracy",
  "auc",
  "auroc",
  "auprc",
  "f1",
  "fscore",
  "score",
  "bleu",
  "rouge",
  "iou",
  "miou",
  "dice",
  "psnr",
  "ssim",
  "precision",
  "recall",
  "reward",
  "return",
  "r2",
  "ndcg",
  "mrr",
  "success",
  "winrate",
  "throughput",
];
const DOWN = [
  "loss",
  "error",
  "err",
  "ppl",
  "perplexity",
  "rmse",
  "mse",
  "mae",
  "mape",
  "nll",
  "wer",
  "cer",
  "fid",
  "bpb",
  "bpc",
  "regret",
];

/**
 * Whether more or less is better, from a metric's name: `val_acc` up, `train/loss`
 * down. Undefined when the name does not say, or says both, or is turned round (`neg_mse`).
 */
export function guessDirection(metric: string): Direction | undefined {
  const words = metric.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()
    .split(/[^a-z0-9]+/).filter((word) => word !== "");
  if (words.some((word) => /^(neg|negative|minus|log|inverse|inv)$/.test(word))) return undefined;
  const up = words.some((word) => says(word, UP));
  const down = words.some((word) => says(word, DOWN));
  return up === down ? undefined : up ? "max" : "min";
}

/** `top1acc` and `valloss` are written together; `acc5` counts. */
function says(word: string, known: readonly string[]): boolean {
  const bare = word.replace(/\d+$/, "");
  return known.some((one) =>
    word === one || bare === one || (one.length > 2 && one !== "err" && word.endsWith(one))
  );
}

/** "maximize", "minimize": as questions, plans and answers name directions. */
export function directionWord(direction: Direction): "maximize" | "minimize" {
  return direction === "max" ? "maximize" : "minimize";
}

/** Reads "max", "maximise", "higher is better", "minimizing", "lower"; undefined for anything else. */
export function readDirection(text: string): Direction | undefined {
  const word = text.trim().toLowerCase().replace(/[.\s]+$/, "");
  const max =
    /^(?:max|maxi?mi[sz](?:e|ed|ing|ation)|maximum|up|↑|(?:higher|more|bigger|larger)(?: is better)?)$/;
  const min =
    /^(?:min|mini?mi[sz](?:e|ed|ing|ation)|minimum|down|↓|(?:lower|less|smaller)(?: is better)?)$/;
  return max.test(word) ? "max" : min.test(word) ? "min" : undefined;
}

import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { codeOf } from "../lib/base/files.ts";
import { shellQuote } from "../lib/base/text.ts";
import type { Value } from "../lib/sweep/value.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";

const OPTIONS = [
  {
    name: "step",
    value: "N",
    number: "whole",
    least: 0,
    description: "Log one point of a curve; also tells whether the trial is to end",
  },
  { name: "text", description: "Keep VALUE as text, even where it looks like a number" },
  {
    name: "trial",
    value: "INDEX",
    number: "whole",
    least: 0,
    description: "The trial; by default HYPERHERD_TRIAL_ID",
  },
  {
    name: "workspace",
    value: "FOLDER",
    description: "The workspace; by default HYPERHERD_WORKSPACE",
  },
] as const;

type LogContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "log",
  summary: "Log a trial's result, from a trainer in any language",
  details:
    "For use within a trial, where herd has set the environment; jobs find this program as\n" +
    '"$HERD_BIN". VALUE is a number, nan, inf, true, false, or any text. With --step the exit\n' +
    "code says whether the trial is to end: 0 go on, 10 it is pruned, 11 it is to pause. Save a\n" +
    "checkpoint then, and end.",
  arguments: [
    { name: "NAME", description: "such as loss or val/loss" },
    { name: "VALUE", description: "a number, nan, true, false, or text" },
  ],
  options: OPTIONS,
  examples: [
    { line: "herd log loss 0.31 --step 100", meaning: "a point of a curve" },
    { line: "herd log accuracy 0.93", meaning: "a final value" },
    {
      line: 'herd log loss "$loss" --step "$i" || { save; exit 0; }',
      meaning: "end when told to",
    },
  ],
  run: logCommand,
});

const WISHES = {
  prune: { code: EXIT.prune, text: "is to be pruned: end now" },
  pause: { code: EXIT.pause, text: "is to pause: save a checkpoint and end now" },
} as const;

async function logCommand(context: LogContext): Promise<number> {
  const { values, positionals, clock, out, json } = context;
  const [name, text] = positionals as [string, string];
  const trial = trialOf(context);
  const root = rootOf(context);
  const value = values.text ? text : readValue(text);
  const { createTrainerLog } = await import("../lib/daemon/trainer-log.ts");
  const log = createTrainerLog({ root, clock });
  const { step } = values;
  if (step === undefined) await log.logFinal(trial, name, value);
  const signal = step === undefined ? undefined : log.logStep(trial, name, step, value);
  if (json) out.json({ trial, name, step: step ?? null, value, signal: signal ?? null });
  if (signal === undefined) return EXIT.done;
  out.printError(`herd: trial ${trial} ${WISHES[signal].text}`);
  return WISHES[signal].code;
}

/** A value as a shell can say it. */
export function readValue(text: string): Value {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const number = Number(text);
    // 12e4567 is no number that anybody measured; as text it is kept whole.
    return Number.isFinite(number) ? number : text;
  }
  const word = text.toLowerCase();
  if (word === "true" || word === "false") return word === "true";
  const special = /^([+-]?)(nan|inf|infinity)$/.exec(word);
  if (special === null) return text;
  if (special[2] === "nan") return NaN;
  return special[1] === "-" ? -Infinity : Infinity;
}

function trialOf({ values, env }: LogContext): number {
  if (values.trial !== undefined) return values.trial;
  const told = env["HYPERHERD_TRIAL_ID"];
  if (told === undefined || told === "") {
    throw new UserError("Cannot log: HYPERHERD_TRIAL_ID is not set", {
      hint: "herd sets it within a trial; elsewhere give --trial INDEX and --workspace FOLDER",
    });
  }
  if (/^\d+$/.test(told) && Number.isSafeInteger(Number(told))) return Number(told);
  throw new UserError(
    `Cannot log: HYPERHERD_TRIAL_ID is "${told}", wanted is a whole number of at least 0`,
  );
}

/** The workspace's folder, when it can really be seen from here. */
function rootOf({ values, env, cwd }: LogContext): string {
  const told = values.workspace ?? env["HYPERHERD_WORKSPACE"];
  if (told === undefined || told === "") {
    throw new UserError("Cannot log: HYPERHERD_WORKSPACE is not set", {
      hint: "herd sets it within a trial, and containers may drop it; " +
        "elsewhere give --workspace FOLDER",
    });
  }
  const path = resolve(cwd, told);
  const kind = kindOf(path);
  // The YAML is as good a name for a workspace as its folder.
  const root = kind === "file" ? dirname(path) : path;
  if (kind === undefined) {
    throw new UserError(`Cannot log: workspace "${path}" cannot be seen here`, {
      hint: bindHint(path),
    });
  }
  if (kindOf(join(root, ".hyperherd", "manifest.json")) === undefined) {
    throw new UserError(
      `Cannot log: workspace "${root}" is here, but .hyperherd/manifest.json in it is not`,
      {
        hint: `Within a container probably only a part of it is mounted. ${bindHint(root)}`,
      },
    );
  }
  return root;
}

function bindHint(path: string): string {
  const quoted = shellQuote(`${path}:${path}`);
  return `In a container, bind it: apptainer exec --bind ${quoted} (docker: -v ${quoted})`;
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    return statSync(path).isFile() ? "file" : "folder";
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ESTALE") return undefined;
    throw error;
  }
}

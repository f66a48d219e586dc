import type { CleanResult } from "../lib/actions/clean.ts";
import { RefusedError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { Deletable } from "../lib/daemon/clean-up.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import { memoryText } from "../lib/sweep/efficiency.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { openWorkspace, say } from "./open.ts";
import { refusalOf } from "./refusal.ts";

const OPTIONS = [
  { name: "logs", short: "l", description: "Delete the trials' logs" },
  {
    name: "all",
    short: "a",
    description: "Delete everything that herd keeps of the sweep: journal, logs and results",
  },
  { name: "yes", short: "y", description: "Do not ask" },
] as const;

type CleanContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "clean",
  summary: "Stop what is live, and delete logs or the whole state of a sweep",
  details:
    "Live trials are stopped first, and nothing is deleted before their jobs have ended. The\n" +
    "YAML, the launcher and everything outside .hyperherd/ is never touched.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: OPTIONS,
  examples: [
    { line: "herd clean", meaning: "stop everything, keep all files" },
    { line: "herd clean --logs", meaning: "stop everything and delete the logs" },
    { line: "herd clean sweep --all --yes", meaning: "start over, without a question" },
  ],
  run: cleanCommand,
});

async function cleanCommand(context: CleanContext): Promise<number> {
  const { values, out, json, clock, signal } = context;
  const outside = await openWorkspace(context, context.positionals[0] ?? ".");
  const { deleteAll, deletables, liveTrials, sizeOf } = await import("../lib/daemon/clean-up.ts");
  // A job that a damaged file hides may still write what would be deleted.
  // The jobs of the workspace that this is a copy of are nobody's to end from here.
  const forgets = values.all && outside.standing().kind === "copy";
  if (!forgets) outside.assertTakeable();
  const { state, warnings } = await outside.watch();
  for (const warning of warnings) say(out, warning);
  const live = forgets ? [] : liveTrials(state);
  const items = deletables(
    outside.paths,
    values.all ? "all" : values.logs ? "logs" : "nothing",
  );
  if (live.length === 0 && items.length === 0) {
    if (json) out.json(documentOf([], [], []));
    else out.print("Nothing to clean: no trial is live, and there is nothing to delete");
    return EXIT.done;
  }
  const among = values.yes || !values.all ? [] : [
    { what: "the results of all trials", ...sizeOf(outside.paths.results) },
    { what: "their logs", ...sizeOf(outside.paths.logs) },
  ];
  if (!values.yes && !await isWanted(context, { live, items, among })) {
    throw new RefusedError("Nothing was changed: the answer was no");
  }
  const stopped = live.length === 0 ? undefined : await stopAll(context, outside);
  const ended = await deleteAll(outside, items, { clock, signal });
  if (ended !== undefined) say(out, `The monitor of ${ended} was ended first`);
  if (json) out.json(documentOf(stopped?.stopped ?? [], items, stopped?.warnings ?? []));
  else tell(context, stopped, items);
  return EXIT.done;
}

async function isWanted(
  { out, json, signal }: CleanContext,
  { live, items, among }: {
    live: readonly number[];
    items: readonly Deletable[];
    among: readonly { what: string; files: number; bytes: number }[];
  },
): Promise<boolean> {
  const show = (line: string) => json ? out.printError(line) : out.print(line);
  if (live.length > 0) {
    show(`Stops ${count(live.length, "live trial")}: ${compactRanges(live)}`);
  }
  for (const item of items) show(`Deletes ${describe(item)}`);
  for (const { what, files, bytes } of among) {
    if (files > 0) show(`  with ${what} (${count(files, "file")}, ${memoryText(bytes)})`);
  }
  const lost = among.some(({ files }) => files > 0);
  const question = lost ? "Delete them for good?" : "Go on?";
  return await out.confirm(question, { flag: "--yes", signal });
}

/** Ends every job; throws when some are still there, since files that jobs write are not deleted. */
async function stopAll({ out }: CleanContext, outside: Outside): Promise<CleanResult> {
  const outcome = await outside.change("clean", (perform) => perform({ verb: "clean" }));
  if (!outcome.done) throw refusalOf(outcome);
  for (const warning of outcome.warnings) say(out, warning);
  if (outcome.alive.length === 0) return outcome;
  throw new RefusedError(
    `Cannot clean: trials ${compactRanges(outcome.alive)} have not been seen to end`,
    {
      hint:
        "They were told to stop, and nothing was deleted; run the same command again in a moment",
      facts: { alive: outcome.alive, stopped: outcome.stopped.map(({ index }) => index) },
    },
  );
}

function describe({ what, path, files, bytes }: Deletable): string {
  const words = { logs: "the logs", state: "all that herd keeps", leftover: "leftovers" };
  return `${words[what]}: ${path} (${count(files, "file")}, ${memoryText(bytes)})`;
}

function tell(
  { out, values }: CleanContext,
  stopped: CleanResult | undefined,
  items: readonly Deletable[],
): void {
  const indices = stopped?.stopped.map(({ index }) => index) ?? [];
  if (indices.length > 0) {
    out.print(`Stopped ${count(indices.length, "trial")} (${compactRanges(indices)})`);
  }
  for (const item of items) out.print(`Deleted ${describe(item)}`);
  if (!values.logs && !values.all) {
    out.print("No file was deleted; --logs deletes the logs, --all everything herd keeps");
  }
}

/** What `clean --json` prints. */
function documentOf(
  stopped: CleanResult["stopped"],
  items: readonly Deletable[],
  warnings: readonly string[],
): unknown {
  return {
    cancelled: stopped.map(({ index, jobId, previous, now }) => ({
      index,
      slurm_job_id: jobId ?? null,
      previous_status: previous,
      now,
    })),
    deleted: items,
    deleted_bytes: items.reduce((sum, { bytes }) => sum + bytes, 0),
    warnings,
  };
}

import { compactRanges, count } from "../base/text.ts";
import { formatDuration } from "../sweep/duration.ts";
import { editYaml, memoryYaml, timeYaml } from "../sweep/edit-yaml.ts";
import { formatMemory } from "../sweep/memory.ts";
import type { Bump } from "../sweep/monitor-event.ts";
import { readSlurm, SLURM_DEFAULTS } from "../sweep/read-slurm.ts";
import { createReport } from "../sweep/report.ts";
import { readYaml } from "../sweep/yaml-document.ts";
import { refuse } from "./outcome.ts";
import type { Refusal } from "./outcome.ts";
import type { Parts } from "./parts.ts";
import { knownIndices } from "./selection.ts";

export interface BumpAction {
  /** A known id finishes or repeats what was begun under it. */
  bump: Bump;
}

export interface BumpResult {
  done: true;
  bump: Bump;
  /**
   * - `edited`: the YAML has the new value now.
   * - `had`: it had it before; a repeated call, or one that a crash cut off after its edit.
   * - `left`: somebody wrote another value since the bump was decided, and that stays.
   * - `noted`: for some trials only; it counts from their next submission on.
   */
  how: "edited" | "had" | "left" | "noted";
  /** One sentence for people. */
  text: string;
}

/**
 * Asks for more memory or time from now on. The bump is in the journal before
 * the YAML is edited and marked as applied after, so that a call with the same
 * id completes what a crash cut off. What a person writes into the YAML
 * meanwhile is never overwritten.
 * Throws UserError when the YAML cannot be read or edited; nothing is edited then.
 */
export function bump(parts: Parts, action: BumpAction): BumpResult | Refusal {
  const begun = parts.state().monitor.bumps.find(({ id }) => id === action.bump.id);
  const wanted: Bump = begun ?? action.bump;
  if (begun?.applied === true) return told(wanted, "had");
  if (begun === undefined) {
    const declined = decline(parts, wanted);
    if (declined !== undefined) return declined;
    parts.append([{ type: "bumped", bump: wanted }]);
    parts.fault("bump-intended");
  }
  const result = wanted.trials === "sweep" ? raise(parts, wanted) : told(wanted, "noted");
  parts.fault("bump-edited");
  parts.append([{ type: "bump-applied", id: wanted.id }]);
  return result;
}

/** Checked before anything is written: a bump that cannot be made leaves no trace. */
function decline(parts: Parts, wanted: Bump): Refusal | undefined {
  const { what, from, to, trials } = wanted;
  if (!Number.isFinite(to) || to <= from) {
    return refuse(
      `Cannot bump ${KEYS[what]} from ${sizeText(what, from)}: ${
        sizeText(what, to)
      } is no more than that`,
    );
  }
  if (trials !== "sweep") {
    knownIndices(parts.state(), trials);
    return trials.length === 0 ? refuse("Cannot bump no trials: name at least one") : undefined;
  }
  const text = parts.files.readConfigText();
  const found = sizeIn(text, what);
  if (found !== from) {
    return refuse(
      `Cannot bump ${KEYS[what]} from ${sizeText(what, from)}: the YAML says ${
        sizeText(what, found)
      } now`,
      { facts: { found, from } },
    );
  }
  edited(text, wanted);
  return undefined;
}

/** The YAML is read anew: seconds or a crash lie between the decision and this. */
function raise(parts: Parts, wanted: Bump): BumpResult {
  const { what, from, to } = wanted;
  const text = parts.files.readConfigText();
  const found = sizeIn(text, what);
  if (found === to) return told(wanted, "had");
  if (found !== from) return told(wanted, "left", found);
  parts.files.replaceConfigText(edited(text, wanted));
  return told(wanted, "edited");
}

function edited(text: string, { what, to }: Bump): string {
  const key = what === "memory" ? "mem" : "time";
  const value = what === "memory" ? memoryYaml(to) : timeYaml(to);
  const next = editYaml(text, [{ path: ["slurm", key], value }]);
  const reads = sizeIn(next, what);
  if (reads !== to) {
    throw new Error(`Wrote ${KEYS[what]} as "${value}" for ${to}, which reads as ${reads}`);
  }
  return next;
}

/** What the sweep asks for: MiB (0 is all of a node) or seconds (null is unlimited). Throws UserError. */
function sizeIn(text: string, what: Bump["what"]): number | null {
  const report = createReport("hyperherd.yaml");
  const node = readYaml(text, report)?.entries.find(({ key }) => key === "slurm")?.value;
  const slurm = node === undefined ? SLURM_DEFAULTS : readSlurm(node, report);
  report.settle();
  const { memoryMiB, timeSeconds } = slurm ?? SLURM_DEFAULTS;
  return what === "memory" ? memoryMiB : timeSeconds;
}

const KEYS = { memory: "slurm.mem", time: "slurm.time" } as const;

function told(wanted: Bump, how: BumpResult["how"], found?: number | null): BumpResult {
  const { what, from, to, trials } = wanted;
  const change = `${sizeText(what, from)} to ${sizeText(what, to)}`;
  const text = how === "left"
    ? `${KEYS[what]} stays at ${
      sizeText(what, found!)
    } as somebody wrote it; it was to go from ${change}`
    : trials === "sweep"
    ? `${KEYS[what]} went from ${change}`
    : `${count(trials.length, "trial")} (${compactRanges(trials)}) ${
      trials.length === 1 ? "asks" : "ask"
    } for ${what} of ${sizeText(what, to)} from the next submission on, before ${
      sizeText(what, from)
    }`;
  return { done: true, bump: wanted, how, text };
}

function sizeText(what: Bump["what"], size: number | null): string {
  if (what === "time") return formatDuration(size);
  return size === 0 ? "all of a node" : formatMemory(size!);
}

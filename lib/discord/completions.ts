import type { Desk, TrialDocument } from "../actions/desk.ts";
import { visible } from "../base/width.ts";
import type { Interaction } from "./gateway-event.ts";
import { LIMITS } from "./limits.ts";

export interface Choice {
  name: string;
  value: string | number;
}

type Completion = Extract<Interaction, { kind: "completion" }>;

/** Which trials a command is most likely about, by status; others are offered when typed. */
const LIKELY: Readonly<Record<string, readonly (readonly string[])[]>> = {
  run: [["failed"], ["ready", "cancelled"]],
  cancel: [["running"], ["queued", "submitted"]],
  pause: [["running"]],
  prune: [["running"], ["queued", "submitted"]],
  resume: [["paused", "pruned"]],
  tail: [["failed"], ["running"], ["completed"]],
  thread: [["failed"], ["running"], ["completed"]],
  bump: [["failed"]],
  look: [["failed"], ["running"], ["completed"]],
};
const USUAL = [["running"], ["failed"], ["completed"]];
/** So many trials are looked at for the names of metrics. */
const SAMPLED = 5;

/** What may follow what was typed so far, best first; at most 25. */
export function completionsFor(desk: Desk, { name, focused }: Completion): readonly Choice[] {
  const typed = focused.value.trim();
  switch (focused.name) {
    case "index":
    case "trial":
      return trials(desk, name, typed).map(({ index, label }) => ({ name: label, value: index }));
    case "indices":
    case "trials":
      return indexLists(desk, name, typed);
    case "metric":
      return matching(metricNames(desk), typed);
    case "parameter":
      return matching(parameterNames(desk), typed);
    case "id":
      return desk.info().confirmations.map(({ id, what }) => ({
        name: short(`${id}: ${what}`),
        value: id,
      }));
    default:
      return [];
  }
}

/** `0,3,7-` completes its last part; what stands before it stays. */
function indexLists(desk: Desk, command: string, typed: string): Choice[] {
  const at = Math.max(typed.lastIndexOf(","), typed.lastIndexOf("-")) + 1;
  const before = typed.slice(0, at);
  const taken = before.split(/[,-]/);
  return trials(desk, command, typed.slice(at).trim())
    .filter(({ index }) => !taken.includes(`${index}`))
    .map(({ index, label }) => ({ name: short(`${before}${label}`), value: `${before}${index}` }));
}

function trials(
  desk: Desk,
  command: string,
  typed: string,
): { index: number; label: string }[] {
  const found = new Map<number, TrialDocument>();
  const add = (items: readonly TrialDocument[]) => {
    for (const one of items) found.set(one.index, one);
  };
  const exact = /^\d{1,9}$/.test(typed) ? desk.trial(Number(typed)) : undefined;
  if (exact !== undefined) add([exact]);
  for (const statuses of LIKELY[command] ?? USUAL) {
    add(desk.status({ statuses, limit: typed === "" ? LIMITS.choices : 500 }).items);
  }
  const fits = ({ index, status, experiment_name: name }: TrialDocument) =>
    // Digits mean an index; names are full of them.
    /^\d+$/.test(typed) ? `${index}`.startsWith(typed) : status.startsWith(typed.toLowerCase()) ||
      name.toLowerCase().includes(typed.toLowerCase());
  return [...found.values()].filter(fits).slice(0, LIMITS.choices).map((trial) => ({
    index: trial.index,
    label: short(`${trial.index} · ${trial.status} · ${trial.experiment_name}`),
  }));
}

function metricNames(desk: Desk): string[] {
  const statuses = ["running", "completed", "failed"];
  const { items } = desk.status({ statuses, limit: SAMPLED });
  return [
    ...new Set(items.flatMap(({ index }) => desk.metricNames(index).map(({ name }) => name))),
  ];
}

function parameterNames(desk: Desk): string[] {
  const { parameters } = desk.parameters({ limit: 1 }) as { parameters?: { name: string }[] };
  return (parameters ?? []).map(({ name }) => name);
}

/** What begins with it, then what contains it. */
function matching(names: readonly string[], typed: string): Choice[] {
  const word = typed.toLowerCase();
  const begins = names.filter((name) => name.toLowerCase().startsWith(word));
  const contains = names.filter((name) =>
    !begins.includes(name) && name.toLowerCase().includes(word)
  );
  return [...begins, ...contains].filter((name) => name.length <= LIMITS.choiceName)
    .slice(0, LIMITS.choices).map((name) => ({ name: short(name), value: name }));
}

function short(text: string): string {
  const line = visible(text.replace(/\s+/g, " ").trim());
  return line.length <= LIMITS.choiceName
    ? line
    : `${line.slice(0, LIMITS.choiceName - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { Task } from "../tasks/task.ts";
import { visible } from "../base/width.ts";
import type { Interaction } from "./gateway-event.ts";
import { LIMITS } from "./limits.ts";
import { isOver } from "./pool-text.ts";

type Completion = Extract<Interaction, { kind: "completion" }>;
interface Choice {
  name: string;
  value: string;
}

/** What may follow what was typed so far, best first; at most 25. */
export function poolCompletions(
  desk: Pick<PoolDesk, "state" | "config" | "sightings">,
  { sub, focused }: Completion,
): readonly Choice[] {
  const typed = focused.value.trim().toLowerCase();
  switch (focused.name) {
    case "id":
      return tasks(desk, sub, typed);
    case "worker":
      return workers(desk, sub === "submit").filter(({ value }) =>
        value.toLowerCase().includes(typed)
      ).slice(0, LIMITS.choices);
    case "model":
      return Object.entries(desk.config().models)
        .map(([name, { use }]) => choice(use === undefined ? name : `${name}: ${use}`, name))
        .filter(({ name }) => name.toLowerCase().includes(typed)).slice(0, LIMITS.choices);
    default:
      return [];
  }
}

function tasks(
  desk: Pick<PoolDesk, "state">,
  sub: string | undefined,
  typed: string,
): Choice[] {
  const all = [...desk.state().tasks.values()].reverse();
  const likely = (task: Task) =>
    sub === "cancel" ? !isOver(task) : sub !== "retry" ||
      isOver(task) && task.status !== "succeeded";
  return all
    .filter((task) => likely(task) && task.id.length <= LIMITS.choiceName)
    .filter(({ id, wish, status }) =>
      id.toLowerCase().includes(typed) || status.startsWith(typed) ||
      wish.text.toLowerCase().includes(typed)
    )
    .slice(0, LIMITS.choices)
    .map(({ id, status, wish }) => choice(`${id} · ${status} · ${wish.text}`, id));
}

/** A task may ask for a label as well. */
function workers(desk: Pick<PoolDesk, "state" | "sightings">, withLabels: boolean): Choice[] {
  const names = [...desk.state().workers.keys()];
  const labels = withLabels
    ? [
      ...new Set([
        ...[...desk.state().workers.values()].flatMap((one) => one.labels),
        ...[...desk.sightings().values()].flatMap(({ report }) => report.labels),
      ]),
    ].filter((one) => !names.includes(one))
    : [];
  return [...names, ...labels].filter((one) => one !== "" && one.length <= LIMITS.choiceName)
    .map((one) => choice(names.includes(one) ? one : `${one} (label)`, one));
}

function choice(text: string, value: string): Choice {
  const line = visible(text.replace(/\s+/g, " ").trim());
  const name = line.length <= LIMITS.choiceName
    ? line
    : `${line.slice(0, LIMITS.choiceName - 1).replace(/[\ud800-\udbff]$/, "")}…`;
  return { name, value };
}

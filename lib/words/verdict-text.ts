import type { Bump, FailureClass, Verdict } from "../sweep/monitor-event.ts";
import { formatMemory } from "../sweep/memory.ts";
import { indicesText } from "./amount-text.ts";
import { limitText } from "./duration-text.ts";
import { keepBeginning, quoted } from "./post-text.ts";

/** A sentence per decision: verdicts of one kind with the same ground are told together. */
export function verdictTexts(verdicts: readonly Verdict[], bumps: readonly Bump[] = []): string[] {
  const groups = Map.groupBy(
    verdicts,
    ({ decision, failure, bump, fingerprint, why }) =>
      JSON.stringify([decision, failure, bump, fingerprint, bump === undefined ? why : ""]),
  );
  return [...groups.values()].map((group) => {
    const bump = bumps.find(({ id }) => id === group[0]!.bump);
    return keepBeginning(groupText(group, bump), 400);
  });
}

function groupText(group: readonly Verdict[], bump: Bump | undefined): string {
  const { decision, failure, headline, why } = group[0]!;
  const indices = group.map(({ trial }) => trial);
  const which = `idx ${indicesText(indices, 60)}`;
  const trials = `${indices.length === 1 ? "trial" : "trials"} ${indicesText(indices, 60)}`;
  const said = quoted(headline, 120);
  switch (decision) {
    case "bump":
      return bump === undefined
        ? `${group.length} ${CLASSES[failure]} (${which}): asking for more; resubmitting.`
        : `${bumpText(bump)} after ${group.length} ${CLASSES[failure]} (${which}); resubmitting.`;
    case "retry":
      return failure === "exception" || failure === "unknown"
        ? `resubmitting ${trials} once after: ${said}.`
        : `resubmitting ${trials} unchanged after ${CLASSES[failure]} (${said}).`;
    case "notify":
      return `${trials} failed and ${indices.length === 1 ? "is" : "are"} not retried: ${said}. ${
        sentence(why)
      }`;
    case "halt":
      return `halted: ${said} (${which}). ${
        sentence(why)
      } Nothing more is submitted until \`/continue\`.`;
  }
}

/** "bumped slurm.mem 8G→12G", for some trials only with their indices. */
export function bumpText({ what, from, to, trials }: Bump): string {
  const [name, show] = what === "memory" ? ["mem", formatMemory] as const : ["time", limitText];
  const whose = trials === "sweep" ? "" : ` of ${indicesText(trials, 60)}`;
  return `bumped slurm.${name}${whose} ${show(from)}→${show(to)}`;
}

const CLASSES: Readonly<Record<FailureClass, string>> = {
  "out-of-memory": "OUT_OF_MEMORY",
  "cuda-out-of-memory": "CUDA out of memory",
  timeout: "TIMEOUT",
  infrastructure: "node failure or preemption",
  exception: "exception",
  unknown: "failure of unknown cause",
};

function sentence(text: string): string {
  const said = quoted(text, 200);
  return said === "" || /[.…]$/.test(said) ? said : `${said}.`;
}

import { count } from "../base/text.ts";
import type { Boot, MonitorPhase } from "../sweep/monitor-event.ts";
import { indicesText } from "./amount-text.ts";
import { quoted } from "./post-text.ts";

/** That a phase begins, and what it means for the trials. */
export function phaseText(
  entered: { phase: MonitorPhase; stage: number; trials: readonly number[]; why: string },
): string {
  const why = reasonOf(quoted(entered.why, 200));
  const because = why === "" ? "" : `, as ${why}`;
  const { trials, stage } = entered;
  const some = `${trials.length === 1 ? "trial" : "trials"} ${indicesText(trials)}`;
  switch (entered.phase) {
    case "interviewing":
      return `a few questions first; nothing is submitted until they are answered${because}`;
    case "canary":
      return `canary: submitting ${some}, to see it train before the others start${because}`;
    case "stage":
      return `stage ${stage + 1}: submitting ${some}${because}`;
    case "live":
      return trials.length === 0
        ? `live: every trial that should run was submitted${because}`
        : `live: submitting the remaining ${some}${because}`;
    case "post-mortem":
      return "every trial has ended. Rerun anything, or halt?";
    case "done":
      return "done: every trial has come to its end";
  }
}

/** Without what the sentence around it says already: which trials come next, and that nothing came before. */
function reasonOf(why: string): string {
  const ground = why.replace(/: trials? [\d,…-]+ (?:is|are|goes?) .*$/, "").replace(/\.$/, "");
  if (ground === "Nothing was submitted before") return "";
  return ground.replace(/^(?:Trials?|A|Nothing|Every)\b/, (word) => word.toLowerCase());
}

/** A phase in a word or two, for heartbeats and tables. */
export function phaseName(phase: MonitorPhase | null | undefined, stage: number): string {
  if (phase === null || phase === undefined) return "not started";
  return phase === "stage" ? `stage ${stage + 1}` : phase;
}

/** The first post: what was found, who thinks, what happens now. */
export function startText(start: {
  sweep: string;
  trials: number;
  /** As it is found now, whatever it was when an earlier daemon began. */
  boot: Boot;
  mode: "agent" | "rules";
  /** Which credentials are active, in the agent's own description; or why there is no agent. */
  credentials: string;
  phase: MonitorPhase | undefined;
  stage: number;
  /** Sentences: what it will do. */
  will: readonly string[];
  /** Somebody may talk to it here. */
  canTalk?: boolean;
}): string {
  const isFirst = start.phase === undefined;
  const found = {
    greenfield: "nothing has run yet",
    "hot-reload": `trials are under way${isFirst ? " already, so there is no canary" : ""}`,
    "post-mortem": "every trial has ended",
  }[start.boot];
  const who = start.mode === "agent"
    ? `Agent: ${quoted(start.credentials, 300)}.`
    : sentenceOf(`No agent: ${quoted(start.credentials, 300).replace(/^No agent: /, "")}`);
  const phase = start.phase === undefined
    ? ""
    : ` It goes on in phase ${phaseName(start.phase, start.stage)}.`;
  return [
    `monitoring ${quoted(start.sweep, 80)}: ${count(start.trials, "trial")}, ${found}.${phase}`,
    who,
    ...start.will.map((line) => quoted(line, 300)).slice(0, 4),
    ...(start.canTalk === false ? [] : ["Type a message to talk to it, /help for commands."]),
  ].join("\n");
}

/** Instead of it where a daemon has become another version of itself. */
export function restartedText({ from, to }: { from: string; to: string }): string {
  return `herd ${to} runs here now, before it was ${from}; the monitoring goes on.`;
}

function sentenceOf(text: string): string {
  return /[.…]$/.test(text) ? text : `${text}.`;
}

/** What an argument must be; `rest` is everything that follows. */
export type SlashKind =
  | "index"
  | "indices"
  | "page"
  | "lines"
  | "word"
  | "rest";

export interface SlashArgument {
  name: string;
  kind: SlashKind;
  optional?: boolean;
  description: string;
  choices?: readonly string[];
}

/** A deterministic chat command, as help, autocompletion and parsing read it. */
export interface SlashCommand {
  name: string;
  arguments: readonly SlashArgument[];
  /** One line, capital and no period. */
  summary: string;
  aliases?: readonly string[];
  /** Whether it changes something. */
  acts: boolean;
}

const PAGE: SlashArgument = {
  name: "page",
  kind: "page",
  optional: true,
  description: "Which page; the first when left out",
};
const INDEX: SlashArgument = { name: "index", kind: "index", description: "The trial's index" };
const INDICES: SlashArgument = {
  name: "indices",
  kind: "indices",
  description: "One trial or several: 3 or 0,3,7-9",
};
const REASON: SlashArgument = {
  name: "reason",
  kind: "rest",
  optional: true,
  description: "Why, for the record",
};
const ID: SlashArgument = { name: "id", kind: "word", description: "As the request names it" };

function look(
  name: string,
  summary: string,
  args: readonly SlashArgument[] = [],
  aliases: readonly string[] = [],
): SlashCommand {
  return { name, summary, arguments: args, aliases, acts: false };
}

function act(
  name: string,
  summary: string,
  args: readonly SlashArgument[] = [],
  aliases: readonly string[] = [],
): SlashCommand {
  return { name, summary, arguments: args, aliases, acts: true };
}

/** Every slash command, those of the user page first. No model is called for any of them. */
export const SLASH: readonly SlashCommand[] = [
  look("status", "Sweep totals and a table of the trials", [PAGE]),
  look("stats", "Each trial's time and memory, and what would have done", [PAGE]),
  look("params", "The sweep: parameters, grid and every trial's values", [PAGE], ["parameters"]),
  look("info", "The monitor itself: phase, uptime, ticks, cost"),
  look("plan", "MONITOR_PLAN.md", [PAGE]),
  act("run", "Submit a trial (again), or several", [INDICES, {
    name: "force",
    kind: "word",
    optional: true,
    choices: ["force"],
    description: "Also stop live ones and run completed ones again",
  }]),
  act("run_all", "Submit every trial that is ready, failed or cancelled"),
  act("cancel", "Cancel a trial, or several", [INDICES]),
  act("cancel_all", "Cancel every live trial", [], ["stop_all"]),
  look("tail", "The last lines of a trial's standard error, or of its output", [INDEX, {
    name: "lines",
    kind: "lines",
    optional: true,
    description: "How many; 20 when left out",
  }, {
    name: "stream",
    kind: "word",
    optional: true,
    choices: ["stderr", "stdout"],
    description: "stderr or stdout; the one that says something when left out",
  }], ["log", "logs"]),
  act("stop", "Stop the monitor; trials go on", [], ["shutdown"]),
  look("help", "These commands", [{
    name: "command",
    kind: "word",
    optional: true,
    description: "Only this one, with its arguments",
  }]),
  look("running", "The trials that run or wait now", [PAGE]),
  look("queue", "Why trials wait, and when the scheduler thinks they start"),
  look("metrics", "Which metrics there are, or one of them for each trial, best first", [{
    name: "metric",
    kind: "rest",
    optional: true,
    description: "The metric's name",
  }], ["metric"]),
  look("results", "What trials logged, as a table", [PAGE], ["res"]),
  look("budget", "What the model has cost, and what it may cost"),
  look("ticks", "The last ticks", [{
    name: "count",
    kind: "lines",
    optional: true,
    description: "How many; 10 when left out",
  }]),
  act("pause", "Let trials save their state and end, to be resumed later", [INDICES, REASON]),
  act("resume", "Submit paused or pruned trials again", [INDICES, REASON]),
  act("prune", "End trials that are not worth going on with", [INDICES, REASON]),
  act("sh", "One pass of successive halving", [{
    name: "dry_run",
    kind: "word",
    optional: true,
    choices: ["dry_run"],
    description: "Only show what it would do",
  }], ["halve"]),
  act("halt", "Submit nothing by itself any more; live trials go on", [REASON]),
  act("continue", "End a halt", [REASON]),
  act("bump", "Ask for more memory or time, and resubmit what failed for want of it", [{
    name: "what",
    kind: "word",
    choices: ["mem", "time"],
    description: "mem or time",
  }, {
    name: "amount",
    kind: "word",
    description: "To so much (16G, 2h, 1-00:00:00) or by so much (50%)",
  }, {
    ...INDICES,
    optional: true,
    description: "Only for these trials",
  }]),
  act("confirm", "Allow what was asked for", [ID], ["yes"]),
  act("deny", "Refuse what was asked for", [ID], ["no"]),
  act("tick", "Look and decide now instead of at the next tick"),
];

/** `/tail <index> [lines]`. */
export function usageOf({ name, arguments: args }: SlashCommand): string {
  const words = args.map((one) => one.optional === true ? `[${one.name}]` : `<${one.name}>`);
  return [`/${name}`, ...words].join(" ");
}

/** By name or alias. */
export function findSlash(name: string): SlashCommand | undefined {
  return SLASH.find((one) => one.name === name || one.aliases?.includes(name));
}

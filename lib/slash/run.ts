import type { Desk, Outcome } from "../actions/desk.ts";
import { explain } from "../base/explain.ts";
import { nearest } from "../base/text.ts";
import { keepBeginning } from "../words/post-text.ts";
import { lines, say } from "./answer.ts";
import type { SlashAnswer } from "./answer.ts";
import { parseSlash } from "./parse.ts";
import type { ParsedSlash } from "./parse.ts";
import { requestOf } from "./requests.ts";
import { showMetrics, showPlan, showResults, showTail } from "./show-logged.ts";
import { showBudget, showInfo, showQueue, showTicks } from "./show-monitor.ts";
import { showParams, showRunning, showStats, showStatus } from "./show-trials.ts";
import { findSlash, SLASH, usageOf } from "./table.ts";

/**
 * Carries out a command and answers in words; never throws. Whatever changes
 * something goes through `desk.act`, as `by`. No model is called.
 */
export async function runSlash(
  desk: Desk,
  parsed: ParsedSlash,
  by: string,
  clock: { now(): number } = Date,
): Promise<SlashAnswer> {
  try {
    const request = requestOf(parsed);
    if (request !== undefined) return say(outcomeText(await desk.act(request, by)));
    return await show(desk, parsed, clock.now());
  } catch (error) {
    return say(explain(error, "terminal"));
  }
}

/**
 * What a line typed in any channel answers when it is a command; undefined for a
 * message. A mistake in it is an answer.
 */
export async function answerSlash(
  desk: Desk,
  text: string,
  by: string,
  clock?: { now(): number },
): Promise<SlashAnswer | undefined> {
  const parsed = parseSlash(text);
  if (parsed === undefined) return undefined;
  return "mistake" in parsed ? say(parsed.mistake) : await runSlash(desk, parsed, by, clock);
}

/** What came of a request, for people: what was done with its warnings, or why not. */
export function outcomeText(outcome: Outcome): string {
  if (!outcome.done) {
    return outcome.hint === undefined ? outcome.reason : `${outcome.reason}\n${outcome.hint}`;
  }
  return [outcome.text, ...outcome.warnings.map((one) => `Note: ${one}`)].join("\n");
}

async function show(desk: Desk, { command, args }: ParsedSlash, now: number): Promise<SlashAnswer> {
  switch (command) {
    case "status":
      return showStatus(desk, args);
    case "running":
      return showRunning(desk, args);
    case "stats":
      return showStats(desk, args);
    case "params":
      return showParams(desk, args);
    case "info":
      return showInfo(desk, now);
    case "plan":
      return showPlan(desk, args);
    case "tail":
      return showTail(desk, args);
    case "metrics":
      return showMetrics(desk, args);
    case "results":
      return showResults(desk, args);
    case "queue":
      return await showQueue(desk);
    case "budget":
      return showBudget(desk);
    case "ticks":
      return showTicks(desk, args, now);
    default:
      return showHelp(args[0]);
  }
}

/** `/help`: the table, or one command with its arguments. */
function showHelp(name: string | undefined): SlashAnswer {
  if (name === undefined) {
    const width = Math.max(...SLASH.map((one) => usageOf(one).length));
    const wide = Math.min(width, 26);
    return lines(SLASH.map((one) => `${usageOf(one).padEnd(wide)} ${one.summary}`));
  }
  const word = name.replace(/^\//, "").toLowerCase();
  const command = findSlash(word);
  if (command === undefined) {
    const near = nearest(word, SLASH.map((one) => one.name));
    return say(
      `There is no command /${word}.${near === undefined ? "" : ` Did you mean /${near}?`}`,
    );
  }
  const args = command.arguments.map((one) => `  ${one.name.padEnd(10)}${one.description}`);
  const aliases = command.aliases ?? [];
  return lines([
    usageOf(command),
    command.summary,
    ...args,
    ...(aliases.length === 0 ? [] : [`Also: ${aliases.map((one) => `/${one}`).join(", ")}`]),
  ].map((line) => keepBeginning(line, 200)));
}

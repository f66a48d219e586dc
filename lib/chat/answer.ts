import { codeSpan, escapeMarkdown, shorten } from "../base/markdown.ts";
import { count } from "../base/text.ts";
import { visible } from "../base/width.ts";
import { spanText } from "../words/duration-text.ts";
import { type Chunks, chunksOf, MESSAGE_UNITS } from "./chunks.ts";
import { failureBlock, failureDetails, failureText } from "./failure-text.ts";
import { footerOf, type FooterPart } from "./footer.ts";
import { liveTail } from "./live-tail.ts";
import { convertTables, type TableStyle } from "./tables.ts";
import { type ToolDisplay, toolLines } from "./tool-lines.ts";
import { closedTools } from "./tool-uses.ts";
import { isOver, type Turn } from "./turn.ts";

export interface AnswerStyle {
  tools: ToolDisplay;
  tables: TableStyle;
  /** Below a finished answer, in this order; none: no footer. */
  footer: readonly FooterPart[];
  /** Name or program of the agent, for hints. */
  agent?: string;
}

/** What is to be seen of a turn. */
export interface Rendered extends Chunks {
  /** What stands behind a button, such as the agent's standard error; raw text. */
  details: string | undefined;
  /** Nothing comes after this. */
  final: boolean;
}

const PLACEHOLDER = "…";
/** Of an answer that is being written, its end. */
const LIVE_UNITS = 1_900;
/** Of what a permission is asked for. */
const MOST_DETAIL = 500;

/** The whole view of a turn, from scratch each time: what was shown before does not matter. */
export function renderTurn(turn: Turn, style: AnswerStyle): Rendered {
  return isOver(turn.state) ? finished(turn, style) : {
    messages: [live(turn, style)],
    file: undefined,
    details: undefined,
    final: false,
  };
}

function live(turn: Turn, { tools, tables }: AnswerStyle): string {
  const foot = standing(turn);
  const head = fitting(
    [...toolLines(turn.tools, tools, turn.earlierTools), ...answerLines(turn)],
    LIVE_UNITS - foot.length,
  );
  const around = [head, foot].filter((part) => part !== "");
  const room = MESSAGE_UNITS - around.reduce((sum, part) => sum + part.length + 1, 0);
  const words = turn.text.trim();
  const body = words === ""
    ? ""
    : liveTail(convertTables(words, tables), Math.min(LIVE_UNITS + 1, room));
  const shown = [head, body, foot].filter((part) => part !== "").join("\n");
  return shown === "" ? PLACEHOLDER : shown;
}

/** Who allows should have seen what: as much of it as has room; the rest is behind a button. */
function detailBlock(what: string, detail: string | undefined): string[] {
  const text = (detail ?? "").trim();
  return text === "" || text === what.trim() ? [] : [fenced(text)];
}

/** What was made safe is longer: it is cut after that. */
function fenced(text: string): string {
  const shown = text.slice(0, 10 * MOST_DETAIL).split("\n").map(visible).join("\n");
  const safe = shorten(shown.replace(/`(?=`)/g, "`\u200b"), MOST_DETAIL);
  return `\`\`\`\n${safe.replace(/`$/, "`\u200b")}\n\`\`\``;
}

/** "✅ `make` allowed once by Alice". */
function answerLines({ answers = [] }: Turn): string[] {
  return answers.map(({ what, answer, by, times = 1 }) => {
    const said = answer === "deny"
      ? "❌ denied"
      : answer === "once"
      ? "✅ allowed once"
      : "✅ allowed from now on";
    const more = times > 1 ? ` and ${times - 1} more` : "";
    return `${said}: ${codeSpan(what, 120)}${more}, by ${whoText(by)}`;
  });
}

/** A person as a mention, which pings nobody in an answer; what is no person in words. */
function whoText(by: string): string {
  const id = /^discord:(\d{1,20})$/.exec(by)?.[1];
  return id === undefined ? escapeMarkdown(shorten(by.trim(), 100)) : `<@${id}>`;
}

/** The last lines that have room. */
function fitting(lines: readonly string[], room: number): string {
  let text = lines.at(-1) ?? "";
  for (const line of lines.slice(0, -1).toReversed()) {
    if (line.length + 1 + text.length > room) break;
    text = `${line}\n${text}`;
  }
  return text;
}

/** What people should know of a turn that goes on. */
function standing({ state }: Turn): string {
  switch (state.kind) {
    case "queued":
      return state.ahead === 0 ? "" : `⏳ Waits for ${count(state.ahead, "turn")} before it`;
    case "asking":
      return [
        `✋ Waits for a permission: ${codeSpan(state.what, 300)}${
          state.behind === undefined ? "" : ` · ${state.behind} more after it`
        }`,
        ...detailBlock(state.what, state.detail),
      ].join("\n");
    case "stuck":
      return `⏳ Nothing was heard of the agent for ${spanText(state.silentMs)}`;
    default:
      return "";
  }
}

function finished(turn: Turn, style: AnswerStyle): Rendered {
  const { state } = turn;
  const words = turn.text.trim();
  const tools = [
    ...toolLines(turn.tools, style.tools, turn.earlierTools),
    ...answerLines(turn),
  ].join("\n");
  const footer = footerOf(turn, style.footer);
  const failure = state.kind === "failed" ? state.failure : undefined;
  const above = failure === undefined ? "" : failureBlock(failureText(failure, style.agent));
  const below = state.kind === "cancelled"
    ? stopped(state.by, words)
    : state.kind === "done" && words === ""
    ? nothingSaid(turn)
    : "";
  const text = joined([above, joined([tools, convertTables(words, style.tables)], "\n")]);
  const apart = text === "" || below === "" ? below : `\n${below}`;
  return {
    ...chunksOf(text, {
      original: joined([above, words, below]),
      // Also where the answer is so long that only its beginning is shown.
      tail: joined([apart, footer], "\n"),
    }),
    details: failure === undefined ? undefined : failureDetails(failure),
    final: true,
  };
}

function joined(parts: readonly string[], between = "\n\n"): string {
  return parts.filter((part) => part !== "").join(between);
}

function stopped(by: string, words: string): string {
  const who = whoText(by);
  return `🛑 Stopped${who === "" ? "" : ` by ${who}`}${
    words === "" ? " before anything was said" : ""
  }`;
}

/** Why there are no words, as far as it is known. */
function nothingSaid({ tools, earlierTools, use }: Turn): string {
  const last = tools.at(-1);
  const { completed, failed } = closedTools({ tools, ...(earlierTools && { earlierTools }) }, true)
    .counts;
  const why = last !== undefined
    ? `It used ${count(completed + failed, "tool")}${
      failed > 0 ? `, of which ${failed} failed` : ""
    }; ` +
      `the last was ${codeSpan(last.title, 120)}`
    : use === undefined
    ? "It told of no use of a model: it may not be logged in, or its program gave up at once"
    : use.output === 0
    ? "The model wrote no tokens: a limit may be reached, or a login may be missing"
    : `The model wrote ${count(use.output, "token")}, none of them words for people`;
  return `⚠️ **The agent ended without a word.** ${why}.\n→ Ask again, or begin a fresh conversation`;
}

import { createHash } from "node:crypto";
import type { Notice } from "../actions/desk.ts";
import type { SlashAnswer } from "../slash/answer.ts";
import type { Said, SaidTask } from "../sweep/monitor-event.ts";
import { keepBeginning, keepEnd } from "../words/post-text.ts";
import { logText } from "../words/log-text.ts";
import { prefixOf } from "../words/prefix.ts";
import { encodeButton } from "./button-id.ts";
import { LIMITS } from "./limits.ts";
import { loginButton } from "./login-form.ts";
import type { Button, Id, Outgoing, OutgoingFile } from "./message.ts";
import { codeBlock, ruleText, withoutMentions } from "./safe-text.ts";
import { splitText } from "../base/split-text.ts";
import { agentButton, changeRow } from "./trial-help.ts";

/** More messages in a row than this are a file. */
const MOST_PARTS = 4;

export interface PostFacts {
  /** The mark of the sweep's channel, for buttons and nonces. */
  sweep: string;
  /** The message that it answers. */
  replyTo?: Id;
  /** Whether the pool's agents can be asked. */
  hasAgents?: boolean;
}

/** A post of the journal as messages, in order. */
export function viewOfSaid(
  said: Pick<Said, "key" | "text" | "trials" | "confirmation" | "code" | "task" | "login"> & {
    kind: Notice["kind"];
  },
  { sweep, replyTo, hasAgents = false }: PostFacts,
): readonly Outgoing[] {
  const text = said.code === true
    ? codeBlock(said.text)
    : said.kind === "agent"
    ? named(withoutMentions(said.text))
    : said.kind === "task"
    // Made safe where it was made: it holds fences.
    ? named(withoutMentions(said.text))
    : named(ruleText(said.text));
  const { more } = said.task ?? {};
  const parts = messagesOf(prefixed(said.kind, text), `${said.kind}.md`);
  return parts.map((part, i) => ({
    ...part,
    nonce: nonceOf(sweep, said.key, i),
    ...(i === 0 && replyTo !== undefined ? { replyTo } : {}),
    ...(i === parts.length - 1 ? rowsOf(said, sweep, hasAgents) : {}),
    ...(i === parts.length - 1 && more !== undefined
      ? { files: [...part.files ?? [], fileOf(more.name, more.text)] }
      : {}),
  }));
}

/** People by their names, as Discord shows them; nobody is pinged by that. */
function named(text: string): string {
  return text.replace(/\bdiscord:(\d{15,20})\b/g, "<@$1>");
}

/** A code block begins on a line of its own, or it is none to whoever cuts the text. */
function prefixed(kind: Notice["kind"], text: string): string {
  const prefix = prefixOf(kind);
  return prefix === "" ? text : `${prefix}${/^\s*```/.test(text) ? "\n" : " "}${text}`;
}

/** Text in as many messages as it needs, or its beginning and a file with all of it. */
export function messagesOf(text: string, fileName: string): readonly Outgoing[] {
  const pieces = splitText(text, LIMITS.content);
  if (pieces.length === 0) return [{ content: "(nothing)" }];
  if (pieces.length <= MOST_PARTS) return pieces.map((content) => ({ content }));
  const beginning = splitText(text, LIMITS.content - 100)[0]!;
  return [{
    content: `${beginning}\n(all of it in the file)`,
    files: [fileOf(fileName, text)],
  }];
}

/** 25 characters at most, the same for the same part of the same post. */
export function nonceOf(sweep: string, key: string, part: number): string {
  return createHash("sha256").update(`${sweep}\n${key}\n${part}`).digest("base64url")
    .slice(0, LIMITS.nonce);
}

function rowsOf(
  { trials = [], confirmation, task, login }: Pick<
    Said,
    "trials" | "confirmation" | "task" | "login"
  >,
  sweep: string,
  hasAgents: boolean,
): { rows?: (readonly Button[])[] } {
  if (task !== undefined) return taskRow(task, sweep);
  if (confirmation !== undefined) {
    const row = [
      button("confirm", sweep, [confirmation], "Yes, do it", "danger"),
      button("deny", sweep, [confirmation], "No", "secondary"),
    ].filter((one) => one !== undefined);
    return row.length === 0 ? {} : { rows: [row] };
  }
  if (login !== undefined) {
    const one = loginButton(login, sweep);
    return one === undefined ? {} : { rows: [[one]] };
  }
  const [only, ...others] = trials;
  if (only?.[1] !== "failed") return {};
  if (others.length > 0) {
    const label = `Let an agent look at trial ${only[0]}`;
    const one = hasAgents ? agentButton(only[0], sweep, label) : undefined;
    return one === undefined ? {} : { rows: [[one]] };
  }
  const args = [`${only[0]}`];
  const row = [
    button("log", sweep, args, "Log", "secondary"),
    button("thread", sweep, args, "Thread", "secondary"),
    button("again", sweep, args, "Run again", "primary"),
    hasAgents ? agentButton(only[0], sweep) : undefined,
  ].filter((one) => one !== undefined);
  return { rows: [row] };
}

function taskRow(
  { id, epoch, trial, offers }: SaidTask,
  sweep: string,
): { rows?: (readonly Button[])[] } {
  const again = button("again", sweep, [`${trial}`], "Run again", "primary");
  const row = offers === "decide"
    ? changeRow(id, epoch, sweep)
    : offers === "run" && again !== undefined
    ? [again]
    : [];
  return row.length === 0 ? {} : { rows: [row] };
}

function button(
  action: string,
  sweep: string,
  args: readonly string[],
  label: string,
  style: Button["style"],
): Button | undefined {
  const id = encodeButton({ action, sweep, args });
  return id === undefined ? undefined : { id, label, style };
}

/** The agent's words while it writes. */
export function streamView(text: string, replyTo: Id | undefined): Outgoing {
  const room = LIMITS.content - 20;
  const pieces = splitText(withoutMentions(text), room);
  const content = `${prefixed("agent", pieces.at(-1) ?? "")}\n…`;
  return { content, ...(replyTo === undefined ? {} : { replyTo }) };
}

/** What a slash command answers; the whole of what has no room is a file. */
export function viewOfSlash({ text, code, attachment }: SlashAnswer): Outgoing {
  const room = LIMITS.content - 30;
  const content = code
    ? fitted((most) => codeBlock(keepBeginning(text, most)), room)
    : fitted((most) => ruleText(keepBeginning(text, most)), room);
  return {
    content,
    ...(attachment === undefined ? {} : { files: [fileOf(attachment.name, attachment.text)] }),
  };
}

/** The newest lines of a log; all that was read of it is a file when they have no room. */
export function viewOfLog(title: string, raw: string): readonly Outgoing[] {
  const text = logText(raw);
  if (text.trim() === "") return [{ content: `${ruleText(title)}: nothing was written` }];
  const head = `${ruleText(title)}\n`;
  const content = head +
    fitted((most) => codeBlock(keepEnd(text, most)), LIMITS.content - head.length);
  const isWhole = content.includes("\n…\n") === false;
  return [isWhole ? { content } : { content, files: [fileOf("log.txt", text)] }];
}

/** Text grows when it is made safe: the longest that fits. */
function fitted(make: (most: number) => string, room: number): string {
  for (let most = room; most > 0; most = Math.floor(most * 0.8)) {
    const text = make(most);
    if (text.length <= room) return text;
  }
  return "…";
}

export function fileOf(name: string, text: string): OutgoingFile {
  const bytes = new TextEncoder().encode(text).subarray(0, LIMITS.fileBytes - 4096);
  return { name, bytes, contentType: "text/plain; charset=utf-8" };
}

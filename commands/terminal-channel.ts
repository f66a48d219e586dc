import type { Notice } from "../lib/actions/desk.ts";
import type { Clock } from "../lib/base/clock.ts";
import { explain } from "../lib/base/explain.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { count } from "../lib/base/text.ts";
import { visible } from "../lib/base/width.ts";
import type { Event } from "../lib/sweep/event.ts";
import type { Question } from "../lib/sweep/monitor-event.ts";
import { prefixOf } from "../lib/words/prefix.ts";
import { questionText } from "../lib/words/question-text.ts";
import { addressed } from "./addressed.ts";
import { postLines } from "./post-lines.ts";
import { createStatusLine } from "./status-line.ts";

/** A sweep as a channel sees it, here or at the other end of HTTP. */
export interface ChannelPort {
  /** The sweep's name. */
  readonly id: string;
  /** Events after a number, oldest first, a page of them; none when there are no more. */
  events(after: number): readonly Event[] | Promise<readonly Event[]>;
  onEvent(listener: (event: Event) => void): () => void;
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Kept when this resolves. False: it was heard before. */
  receive(message: { id: string; from: string; name: string; text: string }): Promise<boolean>;
  /** Undefined when it is no command but a message. */
  slash(text: string): Promise<SlashReply | undefined>;
}

export interface SlashReply {
  text: string;
  code: boolean;
  attachment?: { name: string; text: string };
}

export interface TerminalChannelParts {
  out: Terminal;
  clock: Pick<Clock, "now">;
  ports: readonly ChannelPort[];
  /** What is typed; undefined where nobody can. */
  input: AsyncIterable<string> | undefined;
  /** Who types: `from` as `Event.by` names actors, `name` as people call them. */
  who: { from: string; name: string };
  newId(): string;
  /** Told after this event, by sweep; absent: from the beginning. */
  after?: Readonly<Record<string, number>>;
}

export interface TerminalChannel extends AsyncDisposable {
  /** Prints what is there to be told and goes on until it is disposed of. */
  start(): Promise<void>;
  /** Resolves at Ctrl-D, at once where nobody can type. Posts go on. */
  readonly inputEnded: Promise<void>;
  /** A further sweep. */
  add(port: ChannelPort): Promise<void>;
  remove(id: string): void;
}

interface Listening {
  port: ChannelPort;
  cursor: number;
  /** Events that came before the past was told; undefined once it was. */
  waiting: Event[] | undefined;
  stop(): void;
}

/** Talks with people in a terminal: posts, heartbeat, questions, messages and slash commands. */
export function createTerminalChannel(parts: TerminalChannelParts): TerminalChannel {
  const { out, clock, who } = parts;
  const listening = new Map<string, Listening>();
  const status = createStatusLine(out);
  const asked = new Map<string, Question>();
  /** Messages that were typed here: they stand on the screen already. */
  const own = new Set<string>();
  let lastSaid = "";
  let closed = false;
  const ended = Promise.withResolvers<void>();

  function named(id: string): { sweep?: string } {
    return listening.size > 1 ? { sweep: id } : {};
  }

  function post(id: string, kind: Notice["kind"], text: string, at: number): void {
    const look = { paint: out.paint, columns: Math.min(out.columns, 120) };
    out.print(postLines({ kind, text, at, ...named(id) }, look).join("\n"));
    status.show();
  }

  function hear(one: Listening, event: Event): void {
    if (closed || event.seq <= one.cursor) return;
    one.cursor = event.seq;
    const { what, at } = event;
    const { id } = one.port;
    if (what.type === "said") {
      const question = asked.get(id);
      // It was shown when it was asked; the post of it is for other channels.
      if (question !== undefined && what.said.text.trim().startsWith(question.text.trim())) return;
      lastSaid = what.said.text;
      post(id, what.said.kind, what.said.text, at);
    } else if (what.type === "question-asked") {
      const known = lastSaid.includes(what.question.text.trim());
      asked.set(id, what.question);
      if (!known) post(id, "agent", questionText(what.question), at);
    } else if (what.type === "question-closed") asked.delete(id);
    else if (what.type === "message-received" && !own.has(what.message.id)) {
      const { name, text } = what.message;
      tell(
        out.paint.dim(
          `${named(id).sweep ?? ""} ${name}: ${text}`.trim().split("\n").map(visible).join("\n"),
        ),
      );
    }
  }

  /** The heartbeat is one line that changes; elsewhere a line for each that says something new. */
  function notice(id: string, { key, kind, text }: Notice): void {
    if (closed) return;
    const prefix = listening.size > 1 ? `${visible(id)} ` : "";
    if (kind === "heartbeat") {
      if (status.redraws) status.set(id, `${prefix}${prefixOf(kind)} ${visible(text)}`);
      else if (key !== "standing" && status.isNew(id, text)) post(id, kind, text, clock.now());
    } else if (kind === "typing" || kind === "stream") {
      status.busy(id, text === "" ? "" : `${prefix}${prefixOf("agent")} ${tailOf(text)}`);
    } else post(id, kind, text, clock.now());
  }

  async function add(port: ChannelPort): Promise<void> {
    const one: Listening = {
      port,
      cursor: parts.after?.[port.id] ?? 0,
      waiting: [],
      stop: () => {},
    };
    listening.set(port.id, one);
    const ends = [
      port.onEvent((event) =>
        one.waiting === undefined ? hear(one, event) : one.waiting.push(event)
      ),
      port.onNotice((news) => notice(port.id, news)),
    ];
    one.stop = () => ends.forEach((end) => end());
    for (;;) {
      const past = await port.events(one.cursor);
      const before = one.cursor;
      for (const event of past) hear(one, event);
      if (past.length === 0 || one.cursor === before) break;
    }
    const meanwhile = one.waiting ?? [];
    one.waiting = undefined;
    for (const event of meanwhile) hear(one, event);
  }

  function remove(id: string): void {
    listening.get(id)?.stop();
    listening.delete(id);
    asked.delete(id);
    status.forget(id);
  }

  async function read(input: AsyncIterable<string>): Promise<void> {
    try {
      for await (const line of input) {
        if (closed) return;
        // The typed line stands where the status line was.
        status.show();
        await typed(line);
      }
    } catch (error) {
      if (!closed) tell(`Cannot read what is typed any more: ${explain(error, "terminal")}`);
    } finally {
      ended.resolve();
    }
  }

  async function typed(line: string): Promise<void> {
    const text = line.trim();
    if (text === "") return;
    const target = addressed(text, [...listening.keys()], [...asked.keys()]);
    if ("mistake" in target) return tell(target.mistake);
    const { port } = listening.get(target.id)!;
    try {
      const reply = target.text.startsWith("/") ? await port.slash(target.text) : undefined;
      if (reply !== undefined) return answer(reply);
      const { from, name } = who;
      const id = parts.newId();
      own.add(id);
      await port.receive({ id, from, name, text: target.text });
      if (!closed) tell(out.paint.dim("👀"));
    } catch (error) {
      if (!closed) tell(out.paint.red(explain(error, "terminal")));
    }
  }

  function answer({ text, attachment }: SlashReply): void {
    if (closed) return;
    const lines = text.split("\n").map(visible);
    if (attachment !== undefined) {
      const n = count(attachment.text.trimEnd().split("\n").length, "line");
      lines.push(out.paint.dim(`(all of it: ${attachment.name}, ${n})`));
    }
    tell(lines.join("\n"));
  }

  function tell(text: string): void {
    out.print(text);
    status.show();
  }

  return {
    inputEnded: ended.promise,
    add,
    remove,
    async start() {
      if (parts.input === undefined) ended.resolve();
      for (const port of parts.ports) await add(port);
      if (parts.input !== undefined) void read(parts.input);
    },
    [Symbol.asyncDispose]() {
      closed = true;
      for (const id of [...listening.keys()]) remove(id);
      status.erase();
      ended.resolve();
      return Promise.resolve();
    },
  };
}

/** The end of what an agent is writing, on one line. */
function tailOf(text: string): string {
  const line = visible(text.replace(/\s+/g, " ").trim());
  return line.length <= 200 ? line : `…${line.slice(-200)}`;
}

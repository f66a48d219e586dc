import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ChatHappening } from "../../lib/chat/chat-event.ts";
import { EMOJIS } from "../../lib/chat/signs.ts";
import type { BrokerScene } from "./broker-scene.ts";
import type { FakeMessage } from "./discord/world.ts";

/** What a person has said; `token` is in no other message. */
export interface Asked {
  message: FakeMessage;
  token: string;
  /** The thread where it is answered. */
  thread: string;
  /** Which of the conversations at once it was said in. */
  slot: number;
}

const { done, failed, error, cancelled } = EMOJIS;
const LAST_SIGNS: readonly string[] = [done, failed, error, cancelled];
const GIVEN_UP = "in the middle of this turn";

interface Ended {
  turn: string;
  messages: readonly string[];
  ending: Extract<ChatHappening, { type: "turn-ended" }>;
}

/** Why it is not so yet that everything is answered and shows it; undefined: it is. */
export function unsettled(scene: BrokerScene, asked: readonly Asked[]): string | undefined {
  const events = scene.events().map(({ what }) => what);
  const told = new Set(events.flatMap((what) => what.type === "turn-told" ? [what.turn] : []));
  const ended = endedTurns(events);
  const open = ended.find(({ turn }) => !told.has(turn));
  if (open !== undefined) return `turn ${open.turn} is not told`;
  const answered = new Set(ended.flatMap(({ messages }) => messages));
  const last = new Set(ended.map(({ messages }) => messages.at(-1)));
  for (const { message, token, thread } of asked) {
    if (!answered.has(message.id)) {
      return `${token} is in no turn that is over ${history(scene, thread)}`;
    }
    const signs = [...message.reactions.keys()];
    const isRight = last.has(message.id)
      ? signs.length === 1 && LAST_SIGNS.includes(signs[0]!)
      : signs.length === 0;
    if (!isRight) return `${token} (${message.content}) bears ${signs.join(" ") || "no sign"}`;
  }
  return undefined;
}

/** Asserts that each conversation holds what it should, and nothing else. Answers what it has seen. */
export function checkConversations(
  scene: BrokerScene,
  asked: readonly Asked[],
  daemon: number,
): { turns: number; lost: number } {
  const events = scene.events().map(({ what }) => what);
  checkJournal(events, asked);
  const ended = endedTurns(events);
  for (const thread of new Set(asked.map((one) => one.thread))) {
    checkThread(scene, thread, asked.filter((one) => one.thread === thread), ended);
  }
  checkAgents(scene, daemon);
  const lost = ended.filter(({ ending }) => ending.failure?.kind === "lost")
    .reduce((sum, { messages }) => sum + messages.length, 0);
  return { turns: ended.length, lost };
}

/** Turns that are over for good, in order. */
function endedTurns(events: readonly ChatHappening[]): Ended[] {
  const begun = new Map<string, readonly string[]>();
  return events.flatMap((what) => {
    if (what.type === "turn-begun") begun.set(what.turn, what.messages);
    if (what.type !== "turn-ended" || what.end === "interrupted") return [];
    return [{ turn: what.turn, messages: begun.get(what.turn)!, ending: what }];
  });
}

function checkJournal(events: readonly ChatHappening[], asked: readonly Asked[]): void {
  const heard = events.flatMap((what) => what.type === "message-heard" ? [what.arrival.id] : []);
  assert.equal(new Set(heard).size, heard.length, "each message is heard once");
  const answered = endedTurns(events).flatMap(({ messages }) => messages);
  assert.deepEqual(
    answered.toSorted(),
    asked.map(({ message }) => message.id).toSorted(),
    "each message is in one turn that is over",
  );
  const told = events.flatMap((what) => what.type === "turn-told" ? [what.turn] : []);
  assert.equal(new Set(told).size, told.length, "each turn is told once");
  const running = new Map<string, string>();
  for (const what of events) {
    if (what.type === "turn-begun") {
      assert.equal(running.get(what.conversation), undefined, "one turn at a time");
      running.set(what.conversation, what.turn);
    } else if (what.type === "turn-ended") {
      assert.equal(running.get(what.conversation), what.turn, "what ends has begun");
      running.delete(what.conversation);
    }
  }
}

function checkThread(
  scene: BrokerScene,
  thread: string,
  asked: readonly Asked[],
  ended: readonly Ended[],
): void {
  const said = scene.discord.messages(thread).filter(({ author }) =>
    author.id === scene.discord.bot.id
  );
  const about = `in the thread\n${history(scene, thread)}`;
  const tokens = new Map(asked.map(({ message, token }) => [message.id, token]));
  const turns = ended.filter(({ ending }) => ending.conversation === thread);
  const rest = said.filter(({ content }) => !content.startsWith("-# "));
  const order = turns.map(({ turn, messages, ending }) => {
    const wanted = ending.end === "done" ? messages.map((id) => tokens.get(id)!) : [GIVEN_UP];
    if (ending.end !== "done") assert.equal(ending.failure?.kind, "lost", `${turn} ${about}`);
    const at = rest.findIndex(({ content }) => wanted.every((one) => content.includes(one)));
    assert.ok(at >= 0, `${turn} (${wanted.join(" ")}) is not answered ${about}`);
    return rest.splice(at, 1)[0]!.id;
  });
  assert.deepEqual(rest.map(({ content }) => content), [], `there is more than answers ${about}`);
  assert.deepEqual(order, order.toSorted(), `answers overtake each other ${about}`);
  for (const token of tokens.values()) {
    const times = said.filter(({ content }) => content.includes(token)).length;
    assert.ok(times <= 1, `${token} is answered ${times} times ${about}`);
  }
}

/** All that is known of a conversation, for whoever reads of a failure. */
function history({ discord, events }: BrokerScene, thread: string): string {
  return [
    ...discord.messages(thread).map((one) =>
      `${one.id} ${one.author.name}: ${one.content} [${[...one.reactions.keys()].join("")}]`
    ),
    ...events().filter(({ what }) => "conversation" in what && what.conversation === thread)
      .map(({ at, what }) => `${at} ${JSON.stringify(what).slice(0, 300)}`),
    ...discord.calls.filter(({ path }) => path.includes(thread))
      .map(({ at, method, path, status }) => `${at} ${method} ${path} ${status}`),
  ].join("\n");
}

/** One agent for each conversation at the most, and all of them the daemon's own. */
function checkAgents(scene: BrokerScene, daemon: number): void {
  const all = agentProcesses(scene);
  const folders = all.filter(({ isProgram }) => isProgram).map(({ folder }) => folder);
  assert.equal(new Set(folders).size, folders.length, `two agents in one: ${folders.join("\n")}`);
  const known = new Map(all.map(({ pid, parent }) => [pid, parent]));
  for (const { pid } of all) {
    let above: number | undefined = pid;
    while (above !== undefined && above !== daemon) above = known.get(above);
    assert.equal(above, daemon, `process ${pid} of an agent was left behind`);
  }
}

export interface AgentProcess {
  pid: number;
  parent: number;
  /** Where it works. */
  folder: string;
  /** The program itself, not what holds it. */
  isProgram: boolean;
}

/** Processes of the agents of a scene that live. */
export function agentProcesses(scene: BrokerScene): AgentProcess[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (!words.includes(scene.path("prompts.jsonl"))) return [];
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z") return [];
      return [{
        pid: Number(pid),
        parent: Number(parent),
        folder: readlinkSync(`/proc/${pid}/cwd`),
        isProgram: words[0]!.endsWith("python3"),
      }];
    } catch {
      return [];
    }
  });
}

import type { Clock } from "../base/clock.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { Origin, TaskWish } from "../tasks/task.ts";
import type { Id, Outgoing } from "./message.ts";
import { createPoolFeed } from "./pool-feed.ts";
import type { PoolFeed } from "./pool-feed.ts";
import { newest } from "./pool-memory.ts";
import type { PoolMemory } from "./pool-memory.ts";
import type { PoolSigns } from "./pool-signs.ts";
import { agentText, isOver, originText, span, tagsText } from "./pool-text.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";
import { ruleText } from "./safe-text.ts";

export interface PoolMirrorParts {
  desk: Pick<PoolDesk, "events" | "onEvent" | "state">;
  rest: Pick<DiscordRest, "send">;
  memory: PoolMemory;
  signs: PoolSigns;
  clock: Clock;
  random(): number;
  channel(signal: AbortSignal): Promise<Id>;
  onLost(): void;
  onTrouble(trouble: string | undefined): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

interface Due {
  seq: number;
  at: number;
  task: string;
  wish: TaskWish;
  origin: Origin;
}

const ROOM = 1_900;
/** So many posts are remembered with their task. */
const MOST = 1_000;

/** Tasks that came by other doors are seen in the queue's channel, too. */
export function createPoolMirror(parts: PoolMirrorParts): PoolFeed {
  const { desk, memory } = parts;
  const { mark } = memory.read();

  return createPoolFeed<Due>({
    ...parts,
    name: "tasks of other doors",
    cursor: {
      read: () => memory.read().mirrored,
      write: (seq) => memory.write({ mirrored: seq }),
    },
    pick({ seq, at, what }) {
      if (what.type !== "task-submitted" || what.origin.kind === "message") return undefined;
      const { task, wish, origin } = what;
      return { seq, at, task, wish, origin };
    },
    async post(channel, due, signal) {
      const sent = await parts.rest.send(channel, mirrorView(due, mark), signal);
      memory.write({ mirrors: newest({ ...memory.read().mirrors, [due.task]: sent.id }, MOST) });
      parts.signs.stored(due.task);
    },
    digest(dues) {
      const lines = ["📬 Tasks that came while Discord was away:"];
      let told = 0;
      let size = lines[0]!.length;
      for (const due of dues) {
        const task = desk.state().tasks.get(due.task);
        const state = task === undefined ? "" : isOver(task) ? " (over)" : "";
        const line = `- **[Task: ${ruleText(due.task.slice(0, 80))}]** ${
          agentText(due.wish.text.replace(/\s+/g, " "), 80).replaceAll("`", "'")
        }${state}`;
        if (told > 0 && size + line.length + 1 > ROOM) break;
        lines.push(line);
        size += line.length + 1;
        told++;
      }
      const key = `mirror/${dues[0]!.seq}-${dues[told - 1]!.seq}`;
      return {
        message: { content: lines.join("\n"), nonce: nonceOf(mark, key, 0), silent: true },
        told,
      };
    },
    plain: ({ task }) => ({ content: `Task ${span(task)} came; its text cannot be shown here` }),
  });
}

export function mirrorView(
  { task, wish, origin, seq }: Pick<Due, "task" | "wish" | "origin" | "seq">,
  mark: string,
): Outgoing {
  const head = `**[Task: ${ruleText(task.slice(0, 120))}]** `;
  const tags = tagsText(wish);
  const foot = `-# from ${ruleText(originText(origin))}${tags === "" ? "" : ` · ${tags}`}`;
  const text = agentText(wish.text, ROOM - head.length - foot.length);
  // A fence begins on a line of its own.
  const between = text.startsWith("```") ? "\n" : "";
  return {
    content: `${head}${between}${text}\n${foot}`,
    nonce: nonceOf(mark, `mirror/${task}/${seq}`, 0),
    silent: true,
  };
}

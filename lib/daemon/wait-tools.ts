import { trialIndex } from "../agent/tools/trial-list.ts";
import { defineTool } from "../agent/define-tool.ts";
import type { Tool } from "../agent/tool.ts";
import { NothingError, RefusedError, UserError } from "../base/errors.ts";
import { z } from "../base/schema.ts";
import type { OpenWait } from "../chat/chat-state.ts";
import { subjectText, WAIT_LIMITS } from "../chat/waits.ts";
import { spanText } from "../words/duration-text.ts";
import type { Asking } from "./asking.ts";
import type { Waits } from "../chat/create-waits.ts";
import { newNonce } from "./nonce.ts";
import type { SweepAt } from "./sweep-at.ts";
import type { Begun, WaitSubjects } from "./wait-subjects.ts";

export interface WaitToolsParts {
  conversation: string;
  waits: Pick<Waits, "set" | "drop" | "of">;
  subjects: WaitSubjects;
  /** In whose name the agent acts now. */
  asking: Asking;
  /** The sweep of this thread that these people may look at; throws RefusedError where there is none. */
  sweep(): Promise<SweepAt>;
  now(): number;
}

const MOST_SECONDS = WAIT_LIMITS.mostMs / 1000;

/** So that no agent sleeps in a loop: it ends its turn, and is woken when it happened. */
export function waitTools(parts: WaitToolsParts): readonly Tool[] {
  return [waitTool(parts), listWaitsTool(parts), cancelWaitTool(parts)];
}

function waitTool(parts: WaitToolsParts): Tool {
  const { conversation, waits, asking } = parts;
  return defineTool({
    name: "wait",
    description: "Has herd wake you with a message here when something happens: a trial of this " +
      "thread's sweep ends (trial), its stage ends (stage: true), a task of the pool ends (task), " +
      "or, without these, when the time is over; in each case after `seconds` at the latest. It " +
      "answers at once: end your turn then, never sleep or poll. `note` is told to you again.",
    input: z.strictObject({
      seconds: z.int().min(WAIT_LIMITS.leastMs / 1000).max(MOST_SECONDS),
      trial: trialIndex.optional(),
      stage: z.boolean().optional(),
      task: z.string().max(100).optional(),
      note: z.string().max(WAIT_LIMITS.note).optional(),
    }),
    acts: true,
    async run({ seconds, trial, stage, task, note = "" }) {
      const begun = await begin(parts, { trial, stage: stage === true ? true : undefined, task });
      if ("over" in begun) return `Nothing to wait for: ${begun.over}`;
      const made = waits.set({
        id: `w${newNonce().slice(0, 6)}`,
        conversation,
        for: asking.users,
        subject: begun.subject,
        note: note.trim(),
        atMost: seconds * 1000,
      }, asking.by);
      if ("refused" in made) throw new RefusedError(made.refused);
      return `Done: ${lineOf(made.wait, parts.now())}. End your turn now; a message wakes you.`;
    },
  });
}

interface Wished {
  trial: number | undefined;
  stage: true | undefined;
  task: string | undefined;
}

async function begin(
  { subjects, sweep }: WaitToolsParts,
  { trial, stage, task }: Wished,
): Promise<Begun> {
  if ([trial, stage, task].filter((one) => one !== undefined).length > 1) {
    throw new UserError(
      'Cannot wait for several things at once: give one of "trial", "stage", "task"',
    );
  }
  if (trial !== undefined) return subjects.trial((await sweep()).desk, trial);
  if (stage !== undefined) return subjects.stage((await sweep()).desk);
  if (task !== undefined) return subjects.task(task);
  return { subject: { kind: "time" } };
}

function listWaitsTool({ conversation, waits, now }: WaitToolsParts): Tool {
  return defineTool({
    name: "list_waits",
    description: "What this conversation waits for.",
    input: z.strictObject({}),
    acts: false,
    run() {
      const all = waits.of(conversation);
      if (all.length === 0) return "This conversation waits for nothing.";
      return all.map((one) => lineOf(one, now())).join("\n");
    },
  });
}

function cancelWaitTool({ conversation, waits, asking }: WaitToolsParts): Tool {
  return defineTool({
    name: "cancel_wait",
    description: "Takes a wait back, by the id that wait and list_waits say.",
    input: z.strictObject({ id: z.string().max(20) }),
    acts: true,
    run({ id }) {
      if (waits.drop(id, conversation, asking.by)) return `Done: ${id} is cancelled.`;
      throw new NothingError("Cannot cancel the wait: this conversation has none of that id", {
        hint: "list_waits names them",
      });
    },
  });
}

function lineOf(one: Pick<OpenWait, "id" | "subject" | "until" | "note">, now: number): string {
  const { id, subject, until, note } = one;
  const what = subject.kind === "time" ? "waits" : `waits until ${subjectText(subject)},`;
  const at = `for at most ${spanText(Math.max(0, until - now))}`;
  return `${id} ${what} ${at}${note === "" ? "" : `; note: ${JSON.stringify(note)}`}`;
}

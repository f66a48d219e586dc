import type { Clock } from "../base/clock.ts";
import type { PermissionRequest } from "./agent-session.ts";
import type { PermissionRules } from "./broker-config.ts";
import { type Grant, grantOf, isGranted, isSameUse } from "./grants.ts";
import type { PermissionWord } from "./turn.ts";

export type PermissionAnswer = PermissionWord["answer"];

export interface PermissionsParts {
  rules(): Pick<PermissionRules, "kinds" | "timeoutMs">;
  clock: Clock;
  /**
   * What a person is asked now, if anything, and what became of the question before; people see
   * that the turn waits for them, and who answered.
   */
  onAsk(
    conversation: string,
    request: PermissionRequest | undefined,
    answered?: PermissionWord,
  ): void;
  /** What was allowed for always in a conversation. */
  granted(conversation: string): readonly Grant[];
  /** On disk when it returns; throws when the disk refuses. */
  grant(conversation: string, grant: Grant): void;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What agents may do: by the kind of tool, by a person's word, and never by silence. */
export interface Permissions {
  ask(
    conversation: string,
    request: PermissionRequest,
    signal: AbortSignal,
  ): Promise<PermissionAnswer>;
  /** What is asked in a conversation now. */
  open(conversation: string): PermissionRequest | undefined;
  /**
   * A person's word, to the `question` that they saw; false when that is not asked any more, or
   * has its answer.
   */
  answer(conversation: string, answer: PermissionAnswer, by: string, question?: string): boolean;
  /** The conversation begins anew: what is asked has its no. */
  forget(conversation: string): void;
}

interface Question {
  request: PermissionRequest;
  /** Has its answer, and is about to go. */
  isSettled: boolean;
  settle(answer: PermissionAnswer, by: string): void;
}

/** So many may wait in one conversation; an agent that asks without end gets a no for the rest. */
const MOST_WAITING = 20;

export function createPermissions(parts: PermissionsParts): Permissions {
  const { clock } = parts;
  const questions = new Map<string, Question[]>();
  let asked = 0;

  function show(conversation: string, answered?: PermissionWord): void {
    const [first, ...more] = questions.get(conversation) ?? [];
    const behind = more.length === 0 ? {} : { behind: more.length };
    const request = first && { ...first.request, ...behind };
    if (answered === undefined) parts.onAsk(conversation, request);
    else parts.onAsk(conversation, request, answered);
  }

  /** A person's word, also for the same questions that wait behind it; once is one use, no more. */
  function settle(conversation: string, first: Question, answer: PermissionAnswer, by: string) {
    first.settle(answer, by);
    if (answer === "once") return;
    for (const one of questions.get(conversation) ?? []) {
      if (isSameUse(one.request, first.request)) one.settle(answer, by);
    }
  }

  async function ask(
    conversation: string,
    request: PermissionRequest,
    signal: AbortSignal,
  ): Promise<PermissionAnswer> {
    const rule = parts.rules().kinds[request.kind];
    if (rule !== "ask" || isGranted(parts.granted(conversation), request)) {
      const answer = rule === "ask" ? "always" : rule === "deny" ? "deny" : "once";
      const by = rule === "ask" ? "an earlier always" : "policy";
      parts.audit("permission", { conversation, ...facts(request), answer, by });
      return answer;
    }
    const waiting = questions.get(conversation) ?? [];
    if (signal.aborted) return "deny";
    if (waiting.length >= MOST_WAITING) {
      const by = `herd, as ${MOST_WAITING} questions wait already`;
      show(conversation, { what: request.title, answer: "deny", by });
      parts.audit("permission", { conversation, ...facts(request), answer: "deny", by });
      return "deny";
    }
    const { promise, resolve } = Promise.withResolvers<{ answer: PermissionAnswer; by: string }>();
    const question: Question = {
      request: { ...request, question: `${++asked}` },
      isSettled: false,
      settle(answer, by) {
        if (question.isSettled) return;
        question.isSettled = true;
        resolve({ answer, by });
      },
    };
    questions.set(conversation, [...waiting, question]);
    show(conversation);
    const over = new AbortController();
    const late = () => question.settle("deny", "silence");
    clock.sleep(parts.rules().timeoutMs, over.signal).then(late, () => {});
    const stopped = () => question.settle("deny", "the end of the turn");
    signal.addEventListener("abort", stopped, { once: true });
    const { answer, by } = await promise;
    over.abort();
    signal.removeEventListener("abort", stopped);
    const rest = (questions.get(conversation) ?? []).filter((one) => one !== question);
    if (rest.length === 0) questions.delete(conversation);
    else questions.set(conversation, rest);
    show(conversation, { what: request.title, answer, by });
    parts.audit("permission", { conversation, ...facts(request), answer, by });
    return answer === "always" && !keep(conversation, request, by) ? "once" : answer;
  }

  /** What cannot be stored is allowed this once. */
  function keep(conversation: string, request: PermissionRequest, by: string): boolean {
    try {
      parts.grant(conversation, grantOf(request, by));
      return true;
    } catch (error) {
      parts.audit("permission-lost", { conversation, ...facts(request), by, error: `${error}` });
      return false;
    }
  }

  return {
    ask,
    open: (conversation) => questions.get(conversation)?.[0]?.request,
    answer(conversation, answer, by, which) {
      const [first] = questions.get(conversation) ?? [];
      if (first === undefined || first.isSettled) return false;
      if (which !== undefined && first.request.question !== which) return false;
      settle(conversation, first, answer, by);
      return true;
    },
    forget(conversation) {
      for (const one of questions.get(conversation) ?? []) one.settle("deny", "a reset");
    },
  };
}

function facts({ kind, title, detail }: PermissionRequest) {
  return { kind, title, detail: detail.slice(0, 500) };
}

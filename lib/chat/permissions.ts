import type { Clock } from "../base/clock.ts";
import type { PermissionRequest } from "./agent-session.ts";
import type { PermissionRules } from "./broker-config.ts";

export type PermissionAnswer = "once" | "always" | "deny";

export interface PermissionsParts {
  rules(): Pick<PermissionRules, "kinds" | "timeoutMs">;
  clock: Clock;
  /** A person is asked, or was answered; people see that the turn waits for them. */
  onAsk(conversation: string, request: PermissionRequest | undefined): void;
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
  /** A person's word; false when nothing is asked any more. */
  answer(conversation: string, answer: PermissionAnswer, by: string): boolean;
  /** The conversation begins anew: what was allowed for always is not any more. */
  forget(conversation: string): void;
}

interface Question {
  request: PermissionRequest;
  settle(answer: PermissionAnswer, by: string): void;
}

/** So many may wait in one conversation; an agent that asks without end gets a no for the rest. */
const MOST_WAITING = 20;

export function createPermissions(parts: PermissionsParts): Permissions {
  const { clock } = parts;
  const questions = new Map<string, Question[]>();
  const granted = new Map<string, Set<string>>();

  function show(conversation: string): void {
    parts.onAsk(conversation, questions.get(conversation)?.[0]?.request);
  }

  async function ask(
    conversation: string,
    request: PermissionRequest,
    signal: AbortSignal,
  ): Promise<PermissionAnswer> {
    const rule = parts.rules().kinds[request.kind];
    const isGranted = granted.get(conversation)?.has(keyOf(request)) === true;
    if (rule !== "ask" || isGranted) {
      const answer = rule === "deny" ? "deny" : "once";
      parts.audit("permission", { conversation, ...facts(request), answer, by: "policy" });
      return answer;
    }
    const waiting = questions.get(conversation) ?? [];
    if (waiting.length >= MOST_WAITING || signal.aborted) return "deny";
    const { promise, resolve } = Promise.withResolvers<{ answer: PermissionAnswer; by: string }>();
    const question: Question = { request, settle: (answer, by) => resolve({ answer, by }) };
    questions.set(conversation, [...waiting, question]);
    show(conversation);
    const over = new AbortController();
    const late = () => resolve({ answer: "deny", by: "silence" });
    clock.sleep(parts.rules().timeoutMs, over.signal).then(late, () => {});
    const stopped = () => resolve({ answer: "deny", by: "the end of the turn" });
    signal.addEventListener("abort", stopped, { once: true });
    const { answer, by } = await promise;
    over.abort();
    signal.removeEventListener("abort", stopped);
    const rest = (questions.get(conversation) ?? []).filter((one) => one !== question);
    if (rest.length === 0) questions.delete(conversation);
    else questions.set(conversation, rest);
    show(conversation);
    if (answer === "always") {
      const known = granted.get(conversation) ?? new Set();
      granted.set(conversation, known.add(keyOf(request)));
    }
    parts.audit("permission", { conversation, ...facts(request), answer, by });
    return answer;
  }

  return {
    ask,
    open: (conversation) => questions.get(conversation)?.[0]?.request,
    answer(conversation, answer, by) {
      const [first] = questions.get(conversation) ?? [];
      first?.settle(answer, by);
      return first !== undefined;
    },
    forget(conversation) {
      granted.delete(conversation);
      for (const one of questions.get(conversation) ?? []) one.settle("deny", "a reset");
    },
  };
}

/** Always is said of this tool, not of all of its kind. */
function keyOf({ kind, tool }: PermissionRequest): string {
  return `${kind} ${tool}`;
}

function facts({ kind, title, detail }: PermissionRequest) {
  return { kind, title, detail: detail.slice(0, 500) };
}

import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import type { Asker, SshQuestion } from "../ssh/asker.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { unlessAborted } from "../ssh/unless-aborted.ts";

/** What a login wants to know and nobody has answered yet. */
export interface LoginQuestion extends Omit<SshQuestion, "host"> {
  id: string;
  /** When it was asked, milliseconds since the epoch. */
  at: number;
}

/** An answer: to that question, or to the one that is open; null gives up, none only begins. */
export interface LoginAnswer {
  question?: string | undefined;
  answer?: string | null | undefined;
}

/**
 * Who answers the questions of one host's logins in a process without a terminal. A server waits
 * two minutes for a code, and counts each login that is given up: so a question is left at once
 * while nobody is there, and the login begins anew for whoever comes with the answer.
 */
export interface HostLogin {
  asker: Asker;
  /** The one that is open now, or that was left. */
  question(): LoginQuestion | undefined;
  /**
   * Somebody is there: begins a login, or answers in the one under way. Resolves when a further
   * question is open, or when the login is over. Throws RefusedError for an answer to nothing.
   */
  give(given: LoginAnswer, signal?: AbortSignal): Promise<void>;
  /** Another login begins, or this one is done: what was left needs no answer any more. */
  forget(): void;
}

/** So long a person may take for an answer; sshd's own patience ends then, too. */
const ANSWER_MS = 2 * 60_000;

export function createHostLogin(
  { host, clock }: { host(): Pick<SshHost, "connect" | "state">; clock: Clock },
): HostLogin {
  let open: { shown: LoginQuestion; settle(answer: string | undefined): void } | undefined;
  let left: LoginQuestion | undefined;
  let ready: { shown: LoginQuestion; answer: string } | undefined;
  let presentUntil = -Infinity;
  let under: Promise<void> | undefined;
  let opened = Promise.withResolvers<void>();

  async function asker(question: SshQuestion, signal?: AbortSignal): Promise<string | undefined> {
    const { host: _, ...words } = question;
    const brought = ready;
    if (brought !== undefined && isSame(brought.shown, question)) {
      ready = undefined;
      left = undefined;
      return brought.answer;
    }
    const shown = { ...words, id: randomBytes(6).toString("hex"), at: clock.now() };
    left = shown;
    if (clock.now() >= presentUntil) return undefined;
    const answered = Promise.withResolvers<string | undefined>();
    const over = new AbortController();
    const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    const late = () => answered.resolve(undefined);
    clock.sleep(ANSWER_MS, either).then(late, late);
    const mine = open = { shown, settle: answered.resolve };
    opened.resolve();
    opened = Promise.withResolvers();
    try {
      const answer = await answered.promise;
      if (answer !== undefined) left = undefined;
      return answer;
    } finally {
      if (open === mine) open = undefined;
      over.abort();
    }
  }

  /** One that began while nobody was there asks nobody: it is waited for, and then comes another. */
  async function logIn(): Promise<void> {
    if (host().state.kind === "connecting") await host().connect().catch(() => {});
    if (host().state.kind !== "connected") await host().connect().catch(() => {});
  }

  function take({ question, answer }: LoginAnswer): void {
    if (open !== undefined) {
      if (question !== undefined && question !== open.shown.id) throw gone();
      if (answer === undefined) return;
      const { settle } = open;
      open = undefined;
      settle(answer ?? undefined);
      return;
    }
    if (answer === null) return;
    if (answer !== undefined) {
      if (left === undefined || (question !== undefined && question !== left.id)) throw gone();
      ready = { shown: left, answer };
    }
    under ??= logIn().finally(() => (under = undefined, ready = undefined));
  }

  return {
    asker,
    question: () => open?.shown ?? left,
    async give(given, signal) {
      presentUntil = clock.now() + ANSWER_MS;
      const next = opened.promise;
      const before = open;
      take(given);
      // Whoever only came to hear what is asked has it.
      if (before !== undefined && open === before) return;
      await unlessAborted(Promise.race([next, under ?? Promise.resolve()]), signal);
    },
    forget() {
      left = undefined;
    },
  };
}

function isSame(one: LoginQuestion, other: SshQuestion): boolean {
  return one.kind === other.kind && one.prompt === other.prompt && other.attempt === 1;
}

function gone(): RefusedError {
  return new RefusedError("Cannot take the answer: the question is not open any more", {
    hint: "Begin anew; a login asks its own questions",
  });
}

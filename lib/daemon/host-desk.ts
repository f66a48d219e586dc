import type { Clock } from "../base/clock.ts";
import { NothingError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { shellQuote } from "../base/text.ts";
import type { HostStatus, Station, SweepOnHost } from "../control/station.ts";
import type { Asker } from "../ssh/asker.ts";
import { SshError } from "../ssh/ssh-error.ts";
import type { SshHost, SshState } from "../ssh/ssh-host.ts";
import { governHost } from "./governed-host.ts";
import { createHostLogin, type HostLogin } from "./host-login.ts";
import { hostStanding } from "./host-standing.ts";
import { createHosts } from "./hosts.ts";

export interface HostDeskParts {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  /** Sweeps that are held and whose jobs run on that host. */
  sweepsOn(host: string): readonly SweepOnHost[];
  /** Once an outage: people are needed, or no longer. `login`: the host, where a one-time code is wanted. */
  tell(host: string, text: string, wants?: { login: string }): void;
  /** After an outage: what waited for the host need not wait on. */
  onReached(host: string): void;
}

/** The daemon's hosts: reached without a terminal, and with people's help where that is needed. */
export interface HostDesk extends Pick<Station, "hosts" | "answerHost">, AsyncDisposable {
  reach(name: string): SshHost;
  /** Logs in while a person sits at this terminal; what fails is told. */
  enter(names: readonly string[], asker: Asker, signal: AbortSignal): Promise<void>;
}

interface Known {
  host: SshHost;
  /** Since when it is away; undefined while it is not. */
  awaySince(): number | undefined;
  governed: SshHost;
  login: HostLogin;
}

/** Milliseconds after a refusal. Nothing was tried at the server: a config, a host key. */
const HARMLESS_MS = 60_000;
/** Keys were offered; a site that counts refusals forgets within this. */
const LOGIN_MS = 15 * 60_000;

export function createHostDesk(parts: HostDeskParts): HostDesk {
  const { env, clock, log } = parts;
  const logins = new Map<string, HostLogin>();
  const known = new Map<string, Known>();
  let terminal: Asker | undefined;
  const hosts = createHosts({
    ...{ env, clock, log },
    askerOf: (name) => (question, signal) =>
      (terminal ?? logins.get(name)!.asker)(question, signal),
  });

  function open(name: string): Known {
    const before = known.get(name);
    if (before !== undefined) return before;
    const login = createHostLogin({ host: () => host, clock });
    logins.set(name, login);
    const host = hosts.reach(name);
    const outage = watchOutage(host, login);
    const governed = governHost({
      host,
      mayTry: () => mayTry(host.state, login),
      standing: () =>
        outage.since() === undefined
          ? undefined
          : `not reached since ${clockTime(outage.since()!)}`,
    });
    const one = { host, governed, login, awaySince: outage.since };
    known.set(name, one);
    return one;
  }

  /** Tells once that a person is needed, and once that it goes on. */
  function watchOutage(host: SshHost, login: HostLogin): { since(): number | undefined } {
    let since: number | undefined;
    let told = false;
    host.onState((state) => {
      if (state.kind === "connecting") login.forget();
      else if (state.kind === "connected") {
        login.forget();
        if (told) parts.tell(host.name, `"${host.name}" is reached again${after(since!)}`);
        if (since !== undefined) parts.onReached(host.name);
        since = undefined;
        told = false;
      } else if (state.kind === "waiting" || state.kind === "refused") {
        since ??= state.since;
        if (state.kind === "waiting" || told) return;
        told = true;
        parts.tell(
          host.name,
          `Cannot reach "${host.name}" since ${clockTime(since)}: ${
            needOf(host.name, state, login)
          }`,
          ...login.question()?.kind === "code" ? [{ login: host.name }] : [],
        );
      }
    });
    return { since: () => since };
  }

  function after(since: number): string {
    return ` after ${Math.max(1, Math.round((clock.now() - since) / 60_000))} min`;
  }

  function mayTry(state: SshState, login: HostLogin): boolean {
    if (state.kind !== "refused") return true;
    const kind = login.question()?.kind;
    if (kind === "code" || kind === "password") return false;
    const isHarmless = state.error.step !== "authentication";
    return clock.now() - state.since >= (isHarmless ? HARMLESS_MS : LOGIN_MS);
  }

  async function statusOf({ host, login, awaySince }: Known): Promise<HostStatus> {
    return await hostStanding(host, {
      awaySince: awaySince(),
      question: login.question(),
      sweeps: parts.sweepsOn(host.name),
      clock,
    });
  }

  return {
    reach: (name) => open(name).governed,
    hosts: () => Promise.all([...known.values()].map(statusOf)),
    async answerHost(name, given) {
      const one = known.get(name);
      if (one === undefined) throw unknown(name, [...known.keys()]);
      await one.login.give(given);
      return await statusOf(one);
    },
    async enter(names, asker, signal) {
      terminal = asker;
      try {
        for (const name of names) {
          await open(name).host.connect(signal).catch((error: unknown) => {
            signal.throwIfAborted();
            if (!(error instanceof SshError)) throw error;
            if (error.passing) parts.tell(name, told(error));
          });
        }
      } finally {
        terminal = undefined;
      }
    },
    [Symbol.asyncDispose]: () => hosts[Symbol.asyncDispose](),
  };
}

function told({ message, hint }: SshError): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}

/** What a person can do about it, from whichever channel they read this. */
function needOf(name: string, { error }: SshState & { kind: "refused" }, login: HostLogin): string {
  const question = login.question();
  const how = `\`herd hosts login ${shellQuote(name)}\` in a terminal of the daemon's machine`;
  switch (question?.kind) {
    case "code":
      return `login needs a code: ${how}, or the button where there is one. ` +
        "Never write it as a message";
    case "password":
      return `login needs a password: ${how}. Never give it here`;
    case "passphrase":
      return `login needs a key's passphrase: ${how}. Never give it here`;
    case "host-key":
      return `it is not known whether it is that host: ${how} shows its key`;
    default:
      return told(error);
  }
}

function clockTime(at: number): string {
  return `${new Date(at).toISOString().slice(11, 16)} UTC`;
}

function unknown(name: string, names: readonly string[]): NothingError {
  const list = names.map((one) => `"${one}"`).join(", ");
  return new NothingError(`Cannot log in at "${name.slice(0, 200)}": the daemon does not use it`, {
    hint: names.length === 0
      ? "None of its sweeps runs on another computer"
      : `It uses ${list}; a sweep names its host in slurm.host, or with --host`,
  });
}

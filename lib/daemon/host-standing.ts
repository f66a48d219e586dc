import type { Clock } from "../base/clock.ts";
import type { HostStatus, SweepOnHost } from "../control/station.ts";
import { SshError } from "../ssh/ssh-error.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import type { LoginQuestion } from "./host-login.ts";

export interface HostStandingParts {
  question: LoginQuestion | undefined;
  sweeps: readonly SweepOnHost[];
  /** Since when it could not be reached, over all tries. */
  awaySince?: number | undefined;
  clock: Clock;
}

/** So long a host that is connected may take to answer. Milliseconds. */
const ANSWER_MS = 5_000;

/** Connects, so that its standing can be told; what fails is told there. */
export async function tryHost(host: Pick<SshHost, "connect">, signal: AbortSignal): Promise<void> {
  try {
    await host.connect(signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SshError)) throw error;
  }
}

/** How a host is now, for people and programs. Never connects, never rejects. */
export async function hostStanding(
  host: Pick<SshHost, "name" | "state" | "files">,
  { question, sweeps, clock, awaySince }: HostStandingParts,
): Promise<HostStatus> {
  const latency = host.state.kind === "connected" ? await roundTrip(host, clock) : undefined;
  const { state } = host;
  const facts = state.kind === "connected" ? state.facts : undefined;
  const error = state.kind === "waiting" || state.kind === "refused" ? state.error : undefined;
  return {
    name: host.name,
    state: state.kind,
    since: awaySince ?? ("since" in state ? state.since : null),
    detail: error?.message ?? null,
    hint: error?.hint ?? null,
    retry_at: state.kind === "waiting" ? state.notBefore : null,
    user: facts?.user ?? null,
    address: facts?.address ?? null,
    port: facts?.port ?? null,
    jumps: facts?.jumps ?? [],
    method: facts?.method ?? null,
    latency_ms: latency ?? null,
    question: question === undefined ? null : {
      id: question.id,
      kind: question.kind,
      title: question.title,
      prompt: question.prompt,
      echo: question.echo,
      attempt: question.attempt,
      asked_at: question.at,
    },
    sweeps,
  };
}

/** Milliseconds there and back; the first question also opens the way for it. */
async function roundTrip(
  { files }: Pick<SshHost, "files">,
  clock: Clock,
): Promise<number | undefined> {
  const over = new AbortController();
  const late = clock.sleep(ANSWER_MS, over.signal).then(() => undefined, () => undefined);
  const asked = (async () => {
    await files.realPath(".");
    const begun = performance.now();
    await files.realPath(".");
    return Math.round((performance.now() - begun) * 10) / 10;
  })().catch(() => undefined);
  try {
    return await Promise.race([asked, late]);
  } finally {
    over.abort();
  }
}

import type { GatewayEvent } from "./gateway-event.ts";
import type { DiscordRest } from "./rest.ts";

/**
 * One connection to Discord for one token; every sweep of the daemon shares it. It connects,
 * resumes and backs off by itself; a refused token or intent ends the trying, and says so.
 */
export interface DiscordLink extends AsyncDisposable {
  readonly rest: DiscordRest;
  state(): LinkState;
  /** Hears of every change of the state, and of every event in order. A listener that throws is logged. */
  onState(listener: (state: LinkState) => void): () => void;
  onEvent(listener: (event: GatewayEvent) => void): () => void;
  /** Begins to connect; resolves at once. */
  start(): void;
}

export type LinkState =
  | { phase: "connecting"; since: number; tries: number }
  | {
    phase: "connected";
    since: number;
    me: { id: string; name: string };
    applicationId: string;
    /** What does not work although it is connected, in a sentence for people, and what to do. */
    detail?: string;
    hint?: string;
  }
  /** Lost; the next try is due at `retryAt`. `detail` is a sentence for people. */
  | { phase: "waiting"; since: number; retryAt: number; tries: number; detail: string }
  /** Nothing helps but a person: `detail` says what is wrong and `hint` what to do. */
  | { phase: "refused"; since: number; why: RefusedWhy; detail: string; hint: string }
  | { phase: "closed"; since: number };

export type RefusedWhy = "token" | "intents" | "other";

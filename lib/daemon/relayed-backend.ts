import type { AttemptRelay } from "../tasks/attempt-spec.ts";
import type { RelayEnd } from "../tasks/relay-files.ts";
import { RELAY_PORT } from "../tasks/relay-door.ts";
import type { RelayServer } from "../tasks/relay-server.ts";
import type { Sandbox } from "../tasks/sandbox.ts";
import { isRelayed } from "./relay-permit.ts";

type Settings = Readonly<Record<string, unknown>>;

/** How an attempt reaches its model. */
export interface RelayedBackend {
  backend: Settings;
  /** Undefined: those of this machine. */
  secrets: Readonly<Record<string, string>> | undefined;
  /** What a program is told of its model's address. */
  env: Readonly<Record<string, string>>;
  door: AttemptRelay | undefined;
  /** Whether what was used is known from the relay. */
  counts: boolean;
  close(): void;
}

/** By which a backend of herd's own asks for the relay's token. */
const TOKEN = "HERD_RELAY_TOKEN";

/** The backend as it is when its model is asked through the relay; as it was where it is not. */
export function relayedBackend(
  settings: Settings,
  { relay, always, herd, attempt, onUse }: {
    relay: RelayServer | undefined;
    always: boolean;
    herd: readonly string[];
    attempt: { task: string; epoch: number; sandbox: Sandbox };
    onUse(use: NonNullable<RelayEnd["use"]>): void;
  },
): RelayedBackend {
  const { relay: wish, apiKey: _, apiKeyEnv: __, headers: ___, ...rest } = settings;
  const isApi = settings["kind"] === "anthropic" || settings["kind"] === "openai";
  if (relay === undefined || !(isRelayed(wish) || (always && isApi))) {
    return {
      backend: settings,
      secrets: undefined,
      env: {},
      door: undefined,
      counts: false,
      close: () => {},
    };
  }
  const { task, epoch, sandbox } = attempt;
  const ticket = relay.admit({ task, epoch, onUse: isApi ? () => {} : onUse });
  const close = () => ticket[Symbol.dispose]();
  const { token } = ticket;
  if (isApi) {
    const isOpenAi = rest["kind"] === "openai";
    const backend = {
      ...rest,
      baseUrl: isOpenAi ? `${relay.url}/v1` : relay.url,
      apiKeyEnv: TOKEN,
      ...(isOpenAi ? { dialect: rest["dialect"] ?? dialectOf(rest["baseUrl"]) } : {}),
    };
    return {
      backend,
      secrets: { [TOKEN]: token },
      env: {},
      door: undefined,
      counts: false,
      close,
    };
  }
  const isInside = !sandbox.network && sandbox.level !== "none";
  const url = isInside ? `http://127.0.0.1:${RELAY_PORT}` : relay.url;
  return {
    backend: rest,
    secrets: undefined,
    env: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: token,
      OPENAI_BASE_URL: `${url}/v1`,
      OPENAI_API_KEY: token,
      NO_PROXY: "127.0.0.1",
      no_proxy: "127.0.0.1",
    },
    door: isInside ? { socket: relay.socket, port: RELAY_PORT, herd } : undefined,
    counts: true,
    close,
  };
}

/** By the address that is not used any more. */
function dialectOf(url: unknown): "openai" | "openrouter" {
  if (typeof url !== "string" || !URL.canParse(url)) return "openai";
  const { hostname } = new URL(url);
  return hostname === "openrouter.ai" || hostname.endsWith(".openrouter.ai")
    ? "openrouter"
    : "openai";
}

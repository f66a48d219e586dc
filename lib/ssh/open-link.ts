import type { Client } from "./ssh2.d.ts";
// @ts-types="./ssh2.d.ts"
import ssh2 from "ssh2";
import type { Duplex } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Asker } from "./asker.ts";
import { createAuthentication } from "./authenticate.ts";
import { checkHostKey, keyNames } from "./check-host-key.ts";
import { fingerprint, hostKeyType, orderedKeyAlgorithms } from "./host-key.ts";
import type { KeyRing } from "./identities.ts";
import { linesOf, readKnownHosts } from "./known-hosts.ts";
import { linkTrouble } from "./link-trouble.ts";
import { createPatience, type Patience } from "./patience.ts";
import type { ResolvedHost } from "./resolve-host.ts";
import { SshError } from "./ssh-error.ts";
import type { SshFacts } from "./ssh-host.ts";

/** A server that is convinced; channels may be opened. */
export interface SshLink {
  readonly client: Client;
  readonly facts: SshFacts;
  /** Why it ended; undefined after `close`. */
  readonly ended: Promise<SshError | undefined>;
  close(): Promise<void>;
}

export interface LinkParts {
  clock: Clock;
  log: Log;
  home: string;
  asker: Asker | undefined;
  ring: KeyRing;
  onNotice(text: string): void;
  signal: AbortSignal;
}

/** A server must have shown its key, and then let us in, within this. Milliseconds, without questions to people. */
const HANDSHAKE_MS = 30_000;

/** Where the config says nothing: a cut is noticed within 45 s. */
const ALIVE_MS = 15_000;

/** Speaks ssh over a stream that leads to the host, up to being logged in. Rejects with SshError. */
export async function openLink(
  host: ResolvedHost,
  stream: Duplex,
  jumps: readonly string[],
  parts: LinkParts,
): Promise<SshLink> {
  const patience = createPatience(
    parts.clock,
    HANDSHAKE_MS,
    () => slow(host),
  );
  try {
    return await negotiate(host, stream, jumps, parts, patience);
  } finally {
    patience.end();
  }
}

function negotiate(
  host: ResolvedHost,
  stream: Duplex,
  jumps: readonly string[],
  parts: LinkParts,
  patience: Patience,
): Promise<SshLink> {
  const client = new ssh2.Client();
  const stopped = AbortSignal.any([patience.signal, parts.signal]);
  const asker = pausing(parts.asker, patience);
  let hostKey = "";
  let trouble: SshError | undefined;
  let settled = false;

  return new Promise<SshLink>((resolve, reject) => {
    const fail = (error: SshError) => {
      trouble ??= error;
      client.destroy();
      stream.destroy();
      if (!settled) reject(trouble);
      settled = true;
    };
    const stop = () => fail(stopped.reason as SshError);
    stopped.addEventListener("abort", stop, { once: true });
    const authentication = createAuthentication(host, {
      asker,
      ring: parts.ring,
      home: parts.home,
      signal: stopped,
      giveUp: fail,
    });
    let end: (error: SshError | undefined) => void = () => {};
    const ended = new Promise<SshError | undefined>((done) => end = done);
    let closing = false;

    client.on("error", (error: Error & { level?: string }) => {
      parts.log.write("debug", "ssh", { host: host.alias, said: error.message });
      if (error.level === "agent") return;
      trouble ??= error.level === "client-authentication"
        ? authentication.refusal()
        : linkTrouble(host, error, settled);
    });
    client.on("close", () => {
      stopped.removeEventListener("abort", stop);
      const why = trouble ?? linkTrouble(host, undefined, settled);
      if (settled) end(closing ? undefined : why);
      else fail(why);
    });
    client.on("ready", () => {
      stopped.removeEventListener("abort", stop);
      if (settled) return;
      settled = true;
      const facts: SshFacts = {
        user: host.user,
        address: host.hostName,
        port: host.port,
        jumps,
        method: authentication.method(),
        hostKey,
        server: versionOf(client),
      };
      resolve({
        client,
        facts,
        ended,
        async close() {
          closing = true;
          client.end();
          // The other side may never answer the good-bye.
          const timer = setTimeout(() => (client.destroy(), stream.destroy()), 500);
          await ended;
          clearTimeout(timer);
        },
      });
    });
    const known = linesOf(
      readKnownHosts([...host.userKnownHosts, ...host.globalKnownHosts]),
      keyNames(host).name,
    ).filter(({ marker }) => marker === undefined);
    const order = orderedKeyAlgorithms(known.map(({ type }) => type));
    client.connect({
      sock: stream,
      username: host.user,
      authHandler: authentication.handler,
      readyTimeout: 0,
      keepaliveInterval: host.aliveIntervalMs || ALIVE_MS,
      keepaliveCountMax: host.aliveCountMax,
      strictVendor: false,
      ...(order === undefined ? {} : { algorithms: { serverHostKey: order as never } }),
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
        hostKey = `${hostKeyType(key)} ${fingerprint(key)}`;
        checkHostKey(host, key, { asker, onNotice: parts.onNotice, signal: stopped }).then(() => {
          patience.restart(HANDSHAKE_MS);
          verify(true);
        }, (error) => {
          trouble ??= error as SshError;
          fail(trouble);
        });
      },
    });
  });
}

/** No time passes for the server's patience with us while a person is asked. */
function pausing(asker: Asker | undefined, patience: Patience): Asker | undefined {
  if (asker === undefined) return undefined;
  return async (question, signal) => {
    const resume = patience.pause();
    try {
      return await asker(question, signal);
    } finally {
      resume();
    }
  };
}

/** ssh2 keeps it to itself; for people only. */
function versionOf(client: Client): string {
  return `${(client as unknown as { _remoteVer?: string })._remoteVer ?? "unknown"}`;
}

function slow(host: ResolvedHost): SshError {
  return new SshError(
    "connect",
    host.alias,
    `Cannot connect to "${host.alias}": it did not go on within ${HANDSHAKE_MS / 1000} s`,
    { hint: "Is it overloaded? Try again", passing: true },
  );
}

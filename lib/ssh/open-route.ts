import type { Duplex } from "node:stream";
import { type HostName, hostNameText } from "./host-name.ts";
import { type LinkParts, openLink, type SshLink } from "./open-link.ts";
import { openSocket } from "./open-socket.ts";
import { createPatience } from "./patience.ts";
import { type ResolvedHost, resolveHost, type ResolveParts } from "./resolve-host.ts";
import { SshError } from "./ssh-error.ts";

export interface RouteParts extends LinkParts {
  resolve: ResolveParts;
}

/** Where the config says nothing. Milliseconds. */
const CONNECT_MS = 30_000;

const MOST_JUMPS = 8;

/** Connects to a host by way of its jump hosts, each with a login of its own. Rejects with SshError. */
export async function openRoute(name: string, parts: RouteParts): Promise<SshLink> {
  const host = resolveHost(name, parts.resolve);
  for (const notice of host.notices) parts.onNotice(notice);
  return await openTo(host, host.jumps, parts, []);
}

async function openTo(
  host: ResolvedHost,
  jumps: readonly HostName[],
  parts: RouteParts,
  onward: readonly string[],
): Promise<SshLink> {
  const via = jumps.at(-1);
  if (via === undefined) return await openDirectly(host, parts);
  if (onward.length >= MOST_JUMPS) throw circle(host, [...onward, host.alias]);
  const next = resolveHost(hostNameText(via), parts.resolve);
  // What a pattern such as `Host *.example.org` says of the jump host itself.
  if (next.hostName === host.hostName && next.port === host.port) {
    return await openDirectly(host, parts);
  }
  const before = jumps.slice(0, -1);
  const link = await openJump(next, before.length > 0 ? before : next.jumps, parts, [
    ...onward,
    host.alias,
  ]);
  try {
    const stream = await through(link, next, host);
    const names = [...link.facts.jumps, next.alias];
    const there = await openLink(host, stream, names, parts);
    // The way goes when its end goes, and the end sees it when the way goes.
    void there.ended.then(() => link.close());
    return { ...there, close: async () => (await there.close(), await link.close()) };
  } catch (error) {
    await link.close();
    throw error;
  }
}

async function openJump(
  next: ResolvedHost,
  jumps: readonly HostName[],
  parts: RouteParts,
  onward: readonly string[],
): Promise<SshLink> {
  try {
    return await openTo(next, jumps, parts, onward);
  } catch (error) {
    if (!(error instanceof SshError) || /^On the way/.test(error.message)) throw error;
    throw new SshError(
      error.step,
      next.alias,
      `On the way to "${onward.at(-1)}", at its jump host "${next.alias}": ${error.message}`,
      {
        passing: error.passing,
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      },
    );
  }
}

async function openDirectly(host: ResolvedHost, parts: RouteParts): Promise<SshLink> {
  const ms = host.connectTimeoutMs ?? CONNECT_MS;
  const patience = createPatience(parts.clock, ms, () => silent(host, ms));
  const socket = await openSocket(host, AbortSignal.any([patience.signal, parts.signal]))
    .finally(() => patience.end());
  return await openLink(host, socket, [], parts);
}

function through(link: SshLink, jump: ResolvedHost, host: ResolvedHost): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    link.client.forwardOut("127.0.0.1", 0, host.hostName, host.port, (error, channel) => {
      if (error === undefined || error === null) return resolve(channel);
      reject(
        new SshError(
          "jump",
          jump.alias,
          `Cannot connect to "${host.alias}" from its jump host "${jump.alias}": ${error.message}`,
          {
            hint:
              `Can it be reached from there? Try: ssh ${jump.alias} nc -z ${host.hostName} ${host.port}`,
            passing: true,
            cause: error,
          },
        ),
      );
    });
  });
}

function silent(host: ResolvedHost, ms: number): SshError {
  return new SshError(
    "connect",
    host.alias,
    `Cannot connect to "${host.alias}" (${host.hostName}, port ${host.port}): no answer within ${
      Math.round(ms / 1000)
    } s`,
    { hint: "Is there a network, is a VPN or a jump host needed?", passing: true },
  );
}

function circle(host: ResolvedHost, names: readonly string[]): SshError {
  return new SshError(
    "config",
    host.alias,
    `Cannot connect to "${names[0]}": its ProxyJump leads in a circle (${names.join(", ")})`,
    { hint: `ssh -G ${names[0]} | grep -i proxyjump shows which block of the config says so` },
  );
}

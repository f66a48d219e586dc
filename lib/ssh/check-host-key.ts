import type { Asker } from "./asker.ts";
import { appendKnownHost } from "./append-known-host.ts";
import { fingerprint, keyTypeText } from "./host-key.ts";
import { judgeKey, keptName, type KeyVerdict, readKnownHosts } from "./known-hosts.ts";
import type { ResolvedHost } from "./resolve-host.ts";
import { SshError } from "./ssh-error.ts";

export interface HostKeyParts {
  asker: Asker | undefined;
  /** Said to people: a key was added, or could not be. */
  onNotice(text: string): void;
  signal: AbortSignal;
}

/** The name under which this host's keys are kept, with and without its port. */
export function keyNames(host: ResolvedHost): { name: string; bare: string } {
  const bare = (host.hostKeyAlias ?? host.hostName).toLowerCase();
  const name = host.hostKeyAlias === undefined ? keptName(host.hostName, host.port) : bare;
  return { name, bare };
}

/** Comes back when the server is who it was; otherwise rejects with SshError. Asks about a new one. */
export async function checkHostKey(
  host: ResolvedHost,
  key: Uint8Array,
  parts: HostKeyParts,
): Promise<void> {
  const { name, bare } = keyNames(host);
  const known = readKnownHosts([...host.userKnownHosts, ...host.globalKnownHosts]);
  const verdict = judgeKey(known, name, key, bare);
  switch (verdict.kind) {
    case "known":
      return;
    case "revoked":
      throw refusal(host, `its key is marked as revoked (${verdict.line.place})`, {
        hint: "Ask the host's operators for its new key",
      });
    case "changed":
      throw changed(host, key, verdict);
    case "unknown":
      await accept(host, name, key, verdict, parts);
      if (host.userKnownHosts[0] !== undefined) keep(host, name, key, parts);
  }
}

async function accept(
  host: ResolvedHost,
  name: string,
  key: Uint8Array,
  verdict: KeyVerdict & { kind: "unknown" },
  { asker, signal }: HostKeyParts,
): Promise<void> {
  if (host.strictHostKeys === "no" || host.strictHostKeys === "accept-new") return;
  const shown = `${keyTypeText(key)} ${fingerprint(key)}`;
  if (host.strictHostKeys === "yes" || host.batchMode || asker === undefined) {
    throw refusal(host, `its key ${shown} is not in known_hosts, and nobody can be asked`, {
      hint: `Connect once with: ssh ${host.alias}, or run this command in a terminal`,
    });
  }
  const prompt = [
    `The host "${name}" is not known yet. It shows the key ${shown}.`,
    ...remarks(verdict),
    "Is it this host (yes, no, or the fingerprint that you have)?",
  ].join("\n");
  for (let attempt = 1; attempt <= 3; attempt++) {
    const answer = await asker(
      { host: host.alias, title: name, prompt, echo: true, kind: "host-key", attempt },
      signal,
    );
    const said = answer?.trim();
    if (said === undefined) {
      throw refusal(host, `its key ${shown} is not in known_hosts, and nobody answered`, {
        hint: `Compare it with what the host's operators publish; ssh ${host.alias} adds it`,
      });
    }
    if (/^(no|n|)$/i.test(said)) break;
    if (/^yes$/i.test(said) || said === fingerprint(key)) return;
  }
  throw refusal(host, `its key ${shown} was not accepted`, {
    hint: "Compare the fingerprint with what the host's operators publish",
  });
}

function remarks({ others, authorities }: KeyVerdict & { kind: "unknown" }): string[] {
  return [
    ...(others.length === 0
      ? []
      : [`Keys of other types are known for it (${others.map((one) => one.place).join(", ")}).`]),
    ...(authorities.length === 0 ? [] : [
      `An authority vouches for it (${authorities[0]!.place}); herd cannot check certificates.`,
    ]),
  ];
}

function changed(
  host: ResolvedHost,
  key: Uint8Array,
  { kept }: KeyVerdict & { kind: "changed" },
): SshError {
  const { name } = keyNames(host);
  const places = kept.map(({ place }) => place).join(", ");
  return refusal(
    host,
    `its key has changed to ${keyTypeText(key)} ${
      fingerprint(key)
    }: known_hosts has another (${places}). Somebody may be listening, or the host was set up anew`,
    {
      hint: `When its operators confirm the new key: ssh-keygen -R '${name}' -f '${
        kept[0]!.place.replace(/:\d+$/, "")
      }'`,
    },
  );
}

function keep(host: ResolvedHost, name: string, key: Uint8Array, parts: HostKeyParts): void {
  const file = host.userKnownHosts[0]!;
  try {
    appendKnownHost(file, name, key, { hashed: host.hashKnownHosts });
    parts.onNotice(`Added "${name}" to ${file}`);
  } catch (error) {
    parts.onNotice(`Cannot add "${name}" to ${file}: ${(error as Error).message}`);
  }
}

function refusal(host: ResolvedHost, why: string, options: { hint: string }): SshError {
  return new SshError(
    "host-key",
    host.alias,
    `Cannot trust "${host.alias}" (${host.hostName}): ${why}`,
    options,
  );
}

import type { ParsedKey } from "./ssh2.d.ts";
// @ts-types="./ssh2.d.ts"
import ssh2 from "ssh2";
import type { Asker } from "./asker.ts";
import { type KeyFile, openKey, readKeyFile } from "./key-file.ts";
import type { ResolvedHost } from "./resolve-host.ts";

/** A key that may convince a server: the agent's or a file's. */
export interface Identity {
  /** Where it comes from, for people: a path, or `agent: COMMENT`. */
  label: string;
  publicKey: ParsedKey;
  /** Asks for a passphrase when the server wants the key, not before. */
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

export interface Identities {
  list: readonly Identity[];
  /** Keys that were named and cannot be used, and why, for people. */
  remarks: readonly string[];
}

/** Keeps opened keys for as long as the host lives, so that a reconnect asks nobody. */
export type KeyRing = Map<string, ParsedKey>;

export interface IdentityParts {
  asker: Asker | undefined;
  ring: KeyRing;
  signal: AbortSignal;
  /** Home folder, to shorten paths with. */
  home: string;
}

/** In OpenSSH's order: the agent's keys that are named, its others, files that no agent has. */
export async function collectIdentities(
  host: ResolvedHost,
  parts: IdentityParts,
): Promise<Identities> {
  const remarks: string[] = [];
  const agent = await readAgent(host.agentSocket, remarks);
  const files: Identity[] = [];
  const named: ParsedKey[] = [];
  for (const path of host.identityFiles) {
    const file = readKeyFile(path);
    const shown = path.replace(`${parts.home}/`, "~/");
    const publicKey = await publicKeyOf(file, path, shown, host, parts, remarks);
    if (file.kind === "unusable") {
      if (host.identitiesNamed || file.hint !== undefined) {
        remarks.push(`${shown}: ${file.why}${file.hint === undefined ? "" : `. ${file.hint}`}`);
      }
      continue;
    }
    if (publicKey === undefined) {
      if (host.identitiesNamed && file.kind === "absent") {
        remarks.push(`${shown}: it does not exist`);
      }
      continue;
    }
    named.push(publicKey);
    if (file.kind === "absent") {
      if (host.identitiesNamed && !agent.some((one) => isSame(one.publicKey, publicKey))) {
        remarks.push(`${shown}: only its public half is here, and the agent does not have it`);
      }
      continue;
    }
    files.push(fileIdentity(file, path, shown, publicKey, host, parts));
  }
  const isNamed = (one: Identity) => named.some((key) => isSame(one.publicKey, key));
  return {
    list: [
      ...agent.filter(isNamed),
      ...(host.identitiesOnly ? [] : agent.filter((one) => !isNamed(one))),
      ...files.filter((one) => !agent.some((other) => isSame(one.publicKey, other.publicKey))),
    ],
    remarks,
  };
}

function isSame(one: ParsedKey, other: ParsedKey): boolean {
  return Buffer.compare(one.getPublicSSH(), other.getPublicSSH()) === 0;
}

/** The old formats hide the public half of a locked key: such a key is asked for at once. */
async function publicKeyOf(
  file: KeyFile,
  path: string,
  shown: string,
  host: ResolvedHost,
  parts: IdentityParts,
  remarks: string[],
): Promise<ParsedKey | undefined> {
  if (file.kind === "unusable") return undefined;
  if (file.kind !== "locked" || file.publicKey !== undefined) return file.publicKey;
  try {
    return await unlock(file.text, path, shown, host, parts);
  } catch (error) {
    remarks.push(`${shown}: ${(error as Error).message}`);
    return undefined;
  }
}

function fileIdentity(
  file: KeyFile & { kind: "open" | "locked" },
  path: string,
  shown: string,
  publicKey: ParsedKey,
  host: ResolvedHost,
  parts: IdentityParts,
): Identity {
  return {
    label: shown,
    publicKey,
    async sign(data, hash) {
      const key = file.kind === "open"
        ? file.key
        : await unlock(file.text, path, shown, host, parts);
      const signature: Buffer | Error = key.sign(data, hash);
      if (signature instanceof Error) throw signature;
      return signature;
    },
  };
}

async function unlock(
  text: string,
  path: string,
  shown: string,
  host: ResolvedHost,
  { asker, ring, signal }: IdentityParts,
): Promise<ParsedKey> {
  const opened = ring.get(path);
  if (opened !== undefined) return opened;
  if (asker === undefined || host.batchMode) {
    throw new Error("it has a passphrase, and nobody can be asked. Load it into an agent: ssh-add");
  }
  for (let attempt = 1; attempt <= host.passwordPrompts; attempt++) {
    const answer = await asker({
      host: host.alias,
      title: `${host.user}@${host.hostName}`,
      prompt: `Passphrase of ${shown}:`,
      echo: false,
      kind: "passphrase",
      attempt,
    }, signal);
    if (answer === undefined || answer === "") break;
    const key = openKey(text, answer);
    if (key instanceof Error) continue;
    ring.set(path, key);
    return key;
  }
  throw new Error("its passphrase was not given");
}

function readAgent(socket: string | undefined, remarks: string[]): Promise<Identity[]> {
  if (socket === undefined) return Promise.resolve([]);
  const agent = ssh2.createAgent(socket);
  return new Promise((resolve) => {
    agent.getIdentities((error, keys) => {
      if (error) remarks.push(`agent at ${socket}: it does not answer`);
      resolve((keys ?? []).flatMap((found) => {
        const key = ssh2.utils.parseKey(found as ParsedKey);
        return key instanceof Error ? [] : [agentIdentity(agent, key)];
      }));
    });
  });
}

type Agent = ReturnType<typeof ssh2.createAgent>;

function agentIdentity(agent: Agent, publicKey: ParsedKey): Identity {
  return {
    label: `agent: ${publicKey.comment || publicKey.type}`,
    publicKey,
    sign: (data, hash) =>
      new Promise((resolve, reject) => {
        agent.sign(publicKey, data, hash === undefined ? {} : { hash } as never, (error, made) => {
          if (made === undefined) reject(error ?? new Error("the agent did not sign"));
          else resolve(Buffer.from(made as Buffer));
        });
      }),
  };
}

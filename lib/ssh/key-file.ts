import { createPrivateKey } from "node:crypto";
import { statSync } from "node:fs";
import type { ParsedKey } from "./ssh2.d.ts";
// @ts-types="./ssh2.d.ts"
import ssh2 from "ssh2";
import { codeOf, readIfThere } from "../base/files.ts";
import { strictPem } from "./private-pem.ts";

/** What stands in an identity file. */
export type KeyFile =
  /** There is none; a public key beside it may still name one of the agent's. */
  | { kind: "absent"; publicKey: ParsedKey | undefined }
  | { kind: "open"; publicKey: ParsedKey; key: ParsedKey }
  /** `publicKey` is undefined for the old formats, which hide it as well. */
  | { kind: "locked"; publicKey: ParsedKey | undefined; text: string }
  | { kind: "unusable"; why: string; hint: string | undefined };

export function readKeyFile(path: string): KeyFile {
  const beside = publicKeyIn(readQuietly(`${path}.pub`));
  const text = readQuietly(path);
  if (text === undefined) {
    return whyUnreadable(path) ?? { kind: "absent", publicKey: beside };
  }
  const itself = publicKeyIn(text);
  if (itself !== undefined) return { kind: "absent", publicKey: itself };
  const exposed = exposure(path);
  if (exposed !== undefined) return exposed;
  const key = openKey(text);
  if (!(key instanceof Error)) return { kind: "open", publicKey: key, key };
  const inside = publicPart(text);
  if (inside?.type.startsWith("sk-")) {
    return {
      kind: "unusable",
      why: "it belongs to a security key, which herd cannot ask",
      hint: "Load it into an agent: ssh-add; or let ssh log in",
    };
  }
  if (isLocked(text)) return { kind: "locked", publicKey: inside?.key ?? beside, text };
  return { kind: "unusable", why: "it is in no format that herd reads", hint: undefined };
}

/** The private key of a file's text; an Error when the passphrase is wrong or missing, or it is none. */
export function openKey(text: string, passphrase?: string): ParsedKey | Error {
  const pkcs8 = /^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/m.test(text);
  try {
    const key = parse(pkcs8 ? fromPkcs8(text, passphrase) : text, passphrase);
    if (key instanceof Error) return key;
    if (!key.isPrivateKey()) return new Error("It holds no private key");
    const pem = key.getPrivatePEM();
    const strict = strictPem(pem);
    return strict === pem ? key : parse(strict);
  } catch (error) {
    return error as Error;
  }
}

function parse(text: string, passphrase?: string): ParsedKey | Error {
  const found = ssh2.utils.parseKey(text, passphrase);
  return Array.isArray(found) ? found[0] as ParsedKey : found;
}

/** Into the forms that ssh2 reads. */
function fromPkcs8(text: string, passphrase: string | undefined): string {
  const key = createPrivateKey({
    key: text,
    format: "pem",
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  const type = key.asymmetricKeyType === "rsa" ? "pkcs1" : "sec1";
  return key.export({ type, format: "pem" }).toString();
}

function isLocked(text: string): boolean {
  return /^Proc-Type: 4,ENCRYPTED|^-----BEGIN ENCRYPTED PRIVATE KEY|^PuTTY-User-Key-File.*[\s\S]*^Encryption: (?!none)/m
    .test(text) || (openSshBody(text)?.cipher ?? "none") !== "none";
}

/** The public key that the OpenSSH format shows also of a locked key. */
function publicPart(text: string): { type: string; key: ParsedKey | undefined } | undefined {
  const blob = openSshBody(text)?.publicKey;
  if (blob === undefined) return undefined;
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
  return { type, key: publicKeyIn(`${type} ${blob.toString("base64")}`) };
}

function openSshBody(text: string): { cipher: string; publicKey: Buffer } | undefined {
  const base64 = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text)?.[1];
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, "base64");
  const magic = "openssh-key-v1\0";
  if (!bytes.toString("latin1").startsWith(magic)) return undefined;
  let at = magic.length;
  const next = () => {
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    if (at > bytes.length) throw new RangeError("cut off");
    return bytes.subarray(at - length, at);
  };
  try {
    const cipher = next().toString("latin1");
    next();
    next();
    at += 4;
    return { cipher, publicKey: next() };
  } catch {
    return undefined;
  }
}

function publicKeyIn(text: string | undefined): ParsedKey | undefined {
  if (text === undefined || /PRIVATE KEY|PuTTY-User-Key/.test(text)) return undefined;
  const key = parse(text);
  return key instanceof Error ? undefined : key;
}

/** A private key that others may read is none, as ssh has it. */
function exposure(path: string): KeyFile | undefined {
  const { mode, uid } = statSync(path);
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return undefined;
  const shown = `0${(mode & 0o777).toString(8)}`;
  return {
    kind: "unusable",
    why: `others may read it (its mode is ${shown})`,
    hint: `chmod 600 ${path}`,
  };
}

function readQuietly(path: string): string | undefined {
  try {
    return readIfThere(path);
  } catch {
    return undefined;
  }
}

function whyUnreadable(path: string): KeyFile | undefined {
  try {
    readIfThere(path);
    return undefined;
  } catch (error) {
    return { kind: "unusable", why: `it cannot be read (${codeOf(error)})`, hint: undefined };
  }
}

import { createHash } from "node:crypto";

/** `ssh-ed25519` and the like: the first field of a public key's bytes; undefined when they are none. */
export function hostKeyType(key: Uint8Array): string | undefined {
  if (key.length < 8) return undefined;
  const length = new DataView(key.buffer, key.byteOffset).getUint32(0);
  if (length === 0 || length > 64 || length > key.length - 4) return undefined;
  return Buffer.from(key.subarray(4, 4 + length)).toString("latin1");
}

/** As ssh-keygen -l prints it: `SHA256:…`. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The types' common names, such as `ED25519`. */
export function keyTypeText(key: Uint8Array): string {
  const type = hostKeyType(key) ?? "unknown";
  return type.replace(/^ssh-|^ecdsa-sha2-.*$/, (found) => found === "ssh-" ? "" : "ECDSA")
    .toUpperCase();
}

/** Signature algorithms that prove a key of this type, the best first. */
const PROVED_BY: Readonly<Record<string, readonly string[]>> = {
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
};

/**
 * The order in which a server is asked for its keys: types that known_hosts has for it
 * first, so that a server with several keys shows the one that can be compared.
 */
export function orderedKeyAlgorithms(known: readonly string[]): string[] | undefined {
  const first = known.flatMap((type) => PROVED_BY[type] ?? [type])
    .filter((one) => OFFERED.includes(one));
  if (first.length === 0) return undefined;
  return [...new Set([...first, ...OFFERED])];
}

const OFFERED: readonly string[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
];

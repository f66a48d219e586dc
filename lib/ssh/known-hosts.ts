import { createHmac } from "node:crypto";
import { readIfThere } from "../base/files.ts";
import { matchesPattern } from "./host-pattern.ts";
import { hostKeyType } from "./host-key.ts";

/** One line of a known_hosts file. */
export interface KnownHost {
  marker: "cert-authority" | "revoked" | undefined;
  /** Patterns, or one hashed name (`|1|salt|hash`). */
  names: readonly string[];
  type: string;
  key: Uint8Array;
  /** `file:line`. */
  place: string;
}

/** What the files say of the key that a server shows. */
export type KeyVerdict =
  | { kind: "known" }
  /** Nothing under this name; `others` are its keys of other types, `authorities` vouch for it. */
  | { kind: "unknown"; others: readonly KnownHost[]; authorities: readonly KnownHost[] }
  /** Another key of this type stands there. */
  | { kind: "changed"; kept: readonly KnownHost[] }
  | { kind: "revoked"; line: KnownHost };

/** Lines of the files that are there; what cannot be understood is left out, as ssh does. */
export function readKnownHosts(files: readonly string[]): KnownHost[] {
  return files.flatMap((file) => parseKnownHosts(readIfThere(file) ?? "", file));
}

export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split("\n").flatMap((line, index) => {
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === "" || words[0]!.startsWith("#")) return [];
    const marked = words[0]!.startsWith("@") ? words.shift()!.slice(1) : undefined;
    if (marked !== undefined && marked !== "cert-authority" && marked !== "revoked") return [];
    const [names, type, base64] = words;
    if (names === undefined || type === undefined || base64 === undefined) return [];
    const key = new Uint8Array(Buffer.from(base64, "base64"));
    // Also sorts out a line of the first protocol, which has numbers in these places.
    if (hostKeyType(key) !== type) return [];
    return [{
      marker: marked,
      names: names.startsWith("|") ? [names] : names.split(","),
      type,
      key,
      place: `${file}:${index + 1}`,
    }];
  });
}

/** The name under which a host's keys are kept: with its port where that is not 22. */
export function keptName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** The lines under a host's name, whatever their marker. */
export function linesOf(hosts: readonly KnownHost[], name: string): KnownHost[] {
  return hosts.filter(({ names }) => fits(names, name));
}

/** `bare` is the name without a port, under which an equal key counts as well. */
export function judgeKey(
  hosts: readonly KnownHost[],
  name: string,
  key: Uint8Array,
  bare: string = name,
): KeyVerdict {
  const mine = linesOf(hosts, name);
  const same = (one: KnownHost) => Buffer.compare(one.key, key) === 0;
  const revoked = mine.find((one) => one.marker === "revoked" && same(one)) ??
    linesOf(hosts, bare).find((one) => one.marker === "revoked" && same(one));
  if (revoked !== undefined) return { kind: "revoked", line: revoked };
  const plain = mine.filter(({ marker }) => marker === undefined);
  if (plain.some(same)) return { kind: "known" };
  const type = hostKeyType(key);
  const kept = plain.filter((one) => one.type === type);
  if (kept.length > 0) return { kind: "changed", kept };
  const elsewhere = linesOf(hosts, bare).some((one) => one.marker === undefined && same(one));
  if (elsewhere) return { kind: "known" };
  return {
    kind: "unknown",
    others: plain,
    authorities: mine.filter(({ marker }) => marker === "cert-authority"),
  };
}

function fits(names: readonly string[], name: string): boolean {
  if (names[0]!.startsWith("|")) return fitsHash(names[0]!, name);
  let found = false;
  for (const one of names) {
    const negated = one.startsWith("!");
    if (!matchesPattern(name, (negated ? one.slice(1) : one).toLowerCase())) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

function fitsHash(hashed: string, name: string): boolean {
  const [, kind, salt, hash] = hashed.split("|");
  if (kind !== "1" || salt === undefined || hash === undefined) return false;
  return hashName(name, Buffer.from(salt, "base64")) === hashed;
}

/** `|1|salt|hash`, from which the name cannot be read again. */
export function hashName(name: string, salt: Uint8Array): string {
  const hash = createHmac("sha1", salt).update(name).digest("base64");
  return `|1|${Buffer.from(salt).toString("base64")}|${hash}`;
}

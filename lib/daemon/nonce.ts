import { randomBytes } from "node:crypto";

/** Ten characters that are safe in job names and paths: 50 random bits. */
export function newNonce(): string {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  return [...randomBytes(10)].map((byte) => alphabet[byte % 32]).join("");
}

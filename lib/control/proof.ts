import { createHmac, timingSafeEqual } from "node:crypto";

/** Shows that whoever answers knows the token, without telling it. Hex. */
export function proofOf(token: string, challenge: string): string {
  return createHmac("sha256", token).update(`herd daemon ${challenge}`).digest("hex");
}

export function isProof(proof: unknown, token: string, challenge: string): boolean {
  const wanted = Buffer.from(proofOf(token, challenge));
  const given = Buffer.from(typeof proof === "string" ? proof : "");
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

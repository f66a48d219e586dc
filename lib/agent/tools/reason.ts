import { z } from "../../base/schema.ts";
import { cleanLine } from "../quote-data.ts";

/** Why, in a sentence: it stands in the audit and in what people read. */
export const reason = z.string().min(3).max(400);
export const optionalReason = reason.optional();

/** As a part of a request; what is kept for good has no invisible characters. */
export function reasonOf(text: string | undefined): { reason?: string } {
  const line = text === undefined ? "" : cleanLine(text, 400);
  return line === "" ? {} : { reason: line };
}

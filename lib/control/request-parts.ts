import { z } from "@hono/zod-openapi";
import { parseIndexSpec } from "../sweep/index-spec.ts";
import { STATUSES } from "../sweep/status.ts";

/** A whole number in a path or a query. */
export function whole(
  { least = 0, most = Number.MAX_SAFE_INTEGER, description }: {
    least?: number;
    most?: number;
    description?: string;
  } = {},
) {
  return z.string()
    .refine(
      (text) => /^\d{1,16}$/.test(text) && Number(text) >= least && Number(text) <= most,
      { error: `must be a whole number from ${least} to ${most}` },
    )
    .transform(Number)
    .openapi({
      type: "integer",
      minimum: least,
      maximum: most,
      ...(description === undefined ? {} : { description }),
    });
}

/** `true` or `false`. */
export function truth(description: string) {
  return z.enum(["true", "false"]).transform((text) => text === "true")
    .openapi({ type: "boolean", description });
}

const sweepId = z.string().min(1).openapi({ description: "A sweep's id, as /v1/sweeps lists it" });

export const SweepParams = z.object({ id: sweepId });
export const TrialParams = z.object({ id: sweepId, index: whole({ description: "A trial" }) });

export const PageQuery = {
  offset: whole({ description: "So many are left out at the beginning" }).optional(),
  limit: whole({ least: 1, most: 1000, description: "At most so many" }).optional(),
};

const MOST_INDICES = 100_000;

/** How many indices the ranges of a specification name, told before they are written out. */
function spanOf(text: string): number {
  const ranges = [...text.matchAll(/(\d+)\s*-\s*(\d+)/g)];
  return ranges.reduce((sum, [, first, last]) => sum + Number(last) - Number(first), 0);
}

/** `0-3,7`. */
export const IndicesQuery = z.string()
  .transform((text, context) => {
    if (spanOf(text) > MOST_INDICES) {
      context.addIssue({ code: "custom", message: `names more than ${MOST_INDICES} trials` });
      return z.NEVER;
    }
    try {
      return parseIndexSpec(text);
    } catch {
      context.addIssue({ code: "custom", message: "must be indices and ranges, such as 0,3,7-9" });
    }
    return z.NEVER;
  })
  .openapi({ type: "string", example: "0,3,7-9", description: "Indices and ranges" });

/** `failed,running`. */
export const StatusesQuery = z.string()
  .transform((text) => text.split(","))
  .refine((words) => words.every((word) => (STATUSES as readonly string[]).includes(word)), {
    error: `must be of ${STATUSES.join(", ")}, with commas between`,
  })
  .openapi({ type: "string", example: "failed,running", description: "Statuses" });

/** Trials in a body. */
export const Indices = z.array(z.int().min(0)).min(1).max(MOST_INDICES);
export const Reason = z.string().max(2000).optional();

/** Where a stream goes on: an id of the stream, of the query or of the browser's own header. */
export const AfterQuery = {
  after: whole({ description: "Go on behind this id; absent: from now on" }).optional(),
};

/** The same without the keys whose value is undefined, as exact optional types want them. */
export function given<T extends object>(
  value: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined),
  ) as { [K in keyof T]: Exclude<T[K], undefined> };
}

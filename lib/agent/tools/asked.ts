import { NothingError, RefusedError, SchedulerError, UserError } from "../../base/errors.ts";
import type { Quote } from "../quote-data.ts";

/**
 * What a look at the sweep gives. Its mistakes may list names from outside, such
 * as the metrics that were logged, so they are told as data.
 */
export async function asked<T>(quote: Quote, look: () => T | Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    const known = error instanceof UserError || error instanceof NothingError ||
      error instanceof RefusedError;
    if (!known && !(error instanceof SchedulerError)) throw error;
    const hint = known ? error.hint : undefined;
    const text = hint === undefined ? error.message : `${error.message}. ${hint}`;
    throw new NothingError(`Not possible:\n${quote(text, { source: "why", limit: 800 })}`);
  }
}

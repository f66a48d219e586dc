/** An expected no: the request was understood and declined. */
export interface Refusal {
  done: false;
  /** A sentence for people: what was found, what is wanted. */
  reason: string;
  hint?: string;
  /** The same for programs. */
  facts: Readonly<Record<string, unknown>>;
}

export function refuse(
  reason: string,
  more: { hint?: string; facts?: Readonly<Record<string, unknown>> } = {},
): Refusal {
  return {
    done: false,
    reason,
    ...(more.hint === undefined ? {} : { hint: more.hint }),
    facts: more.facts ?? {},
  };
}

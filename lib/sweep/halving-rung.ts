/** A trial that came to a rung. */
export interface Arrived {
  trial: number;
  /** Null is the worst, whichever direction is better. */
  value: number | null;
  /**
   * `open`: competes for a place. `withdrawn`: was there and is over (failed,
   * cancelled, dropped); it counts in the population.
   */
  standing: "open" | "withdrawn" | "promoted" | "pruned";
}

export interface RungInput {
  arrived: readonly Arrived[];
  /** Members that have not come yet and may: they run, wait in the queue, or will be resumed. */
  awaited: number;
  /** At most so many may still become members, when the rung below promotes them. */
  potential: number;
  direction: "min" | "max";
  /** Places among `n`. */
  keepOf: (n: number) => number;
  /**
   * What does not go on keeps its rank: one that is withdrawn holds its place,
   * and where not all stay, nobody stays without a finite value.
   */
  strict: boolean;
}

export interface Ranked extends Arrived {
  /** All that are ahead, decided or not. */
  ahead: number;
  /** Those ahead that take a place: all, or when not strict all but the withdrawn ones. */
  taken: number;
  /** `wait`: it is not certain yet. Undefined for those that are not open. */
  verdict: "promote" | "prune" | "wait" | undefined;
}

export interface RungResult {
  /** Best first. */
  ranked: readonly Ranked[];
  /** Arrived, awaited and potential. */
  cohortSize: number;
  keep: number;
  unreached: number;
  /** At most so many can still be promoted later. */
  stillOpen: number;
}

/**
 * Judges one rung. A trial stays when it ranks among the best `keep` of all that
 * ever came to the rung; nobody stays because a place is left, as better ones may
 * have been pruned while there were fewer places. A verdict is given only when
 * nothing that may still happen at the rung turns it:
 *
 * - promoted, when it stays even if everybody who may still come is ahead of it
 *   (somebody who fails on the way takes one from those ahead and at most one
 *   place with it, so the full cohort is the worst case);
 * - pruned, when enough are ahead of it already, with all places that the full
 *   cohort would have.
 */
export function judgeRung(input: RungInput): RungResult {
  const unreached = input.awaited + input.potential;
  const cohortSize = input.arrived.length + unreached;
  const keep = input.keepOf(cohortSize);
  const ranked: Ranked[] = [];
  let taken = 0;
  for (const [ahead, arrived] of ranking(input).entries()) {
    const hopeless = taken >= keep ||
      (input.strict && arrived.value === null && keep < cohortSize);
    const certain = taken + unreached < keep;
    const open = arrived.standing === "open";
    const verdict = !open ? undefined : hopeless ? "prune" : certain ? "promote" : "wait";
    ranked.push({ ...arrived, ahead, taken, verdict });
    if (input.strict || arrived.standing !== "withdrawn") taken += 1;
  }
  return { ranked, cohortSize, keep, unreached, stillOpen: mostToCome(ranked, keep, unreached) };
}

/** Best first; equals by index, so that the order never depends on who came first. */
function ranking({ arrived, direction }: RungInput): Arrived[] {
  const sign = direction === "min" ? 1 : -1;
  return [...arrived].sort((a, b) => {
    if (a.value !== b.value) {
      if (a.value === null) return 1;
      if (b.value === null) return -1;
      return sign * (a.value - b.value);
    }
    return a.trial - b.trial;
  });
}

/** Upper bound of promotions still to come here: places that nobody holds for certain, and candidates for them. */
function mostToCome(ranked: readonly Ranked[], keep: number, unreached: number): number {
  // One that was promoted and does not rank among the best for certain may leave its place
  // to a late-comer: both go on then.
  const secure = ranked.filter((each) =>
    (each.standing === "promoted" || each.verdict === "promote") && each.ahead + unreached < keep
  );
  const candidates = ranked.filter((each) => each.verdict === "wait").length + unreached;
  return Math.min(candidates, Math.max(0, keep - secure.length));
}

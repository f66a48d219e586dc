import type { PoolConfig } from "./pool-config.ts";
import { POOL_SLURM_DEFAULTS } from "./pool-defaults.ts";
import type { ScaleWish } from "./pool-desk.ts";
import type { PoolHappening } from "./pool-event.ts";
import type { Scale } from "./pool-state.ts";
import { isPartition, refuseSlurmOption } from "./read-pool-slurm.ts";

/** As many as one person will ever want by mistake. */
const MOST_WORKERS = 10_000;
const MOST_SLOTS = 1_000;
const LONGEST_MINUTES = 366 * 24 * 60;

export type Scaled = Extract<PoolHappening, { type: "pool-scaled" }>;

/** A wish as it is written down; a reason when it cannot be. */
export function readScaleWish(
  wish: ScaleWish,
  config: Pick<PoolConfig, "slurm">,
  id: string,
): Scaled | { refused: string } {
  const { slurm, partition, slots, timeMinutes, options } = wish;
  const usual = config.slurm ?? POOL_SLURM_DEFAULTS;
  const least = slurm ?? wish.least ?? Math.min(usual.least, wish.most ?? usual.least);
  const most = slurm ?? wish.most ?? Math.max(usual.most, least);
  const refused = (why: string) => ({ refused: `Cannot scale the pool: ${why}` });
  if (slurm !== undefined && (wish.least !== undefined || wish.most !== undefined)) {
    return refused("either a number of workers is wanted, or a least and a most one");
  }
  for (const [what, value] of [["least", least], ["most", most]] as const) {
    if (!Number.isInteger(value) || value < 0 || value > MOST_WORKERS) {
      return refused(`${what} is ${value}, wanted is a whole number up to ${MOST_WORKERS}`);
    }
  }
  if (least > most) return refused(`the least is ${least} and the most is ${most}`);
  if (slots !== undefined && !(Number.isInteger(slots) && slots >= 1 && slots <= MOST_SLOTS)) {
    return refused(`slots is ${slots}, wanted is a whole number from 1 to ${MOST_SLOTS}`);
  }
  if (timeMinutes !== undefined && !(timeMinutes >= 1 && timeMinutes <= LONGEST_MINUTES)) {
    return refused("the time of a job is at least a minute and at most a year");
  }
  if (partition !== undefined && !isPartition(partition)) {
    return refused(`"${partition.slice(0, 80)}" cannot be the name of a partition`);
  }
  for (const option of options ?? []) {
    const why = refuseSlurmOption(option);
    if (why !== undefined) return refused(`${JSON.stringify(option.slice(0, 80))}: ${why}`);
  }
  return { type: "pool-scaled", id, least, most, slots, partition, timeMinutes, options };
}

/** The wish with what it leaves out, as the configuration says now. */
export function scaleInForce(scale: Scale, config: Pick<PoolConfig, "slurm">) {
  const usual = config.slurm ?? POOL_SLURM_DEFAULTS;
  return {
    least: scale.least,
    most: scale.most,
    slots: scale.slots ?? usual.slots,
    partition: scale.partition ?? usual.partition,
    timeMinutes: scale.timeMinutes ?? usual.timeMinutes,
    // Of an option that stands twice SLURM takes the last.
    options: [...usual.options, ...scale.options ?? []],
    idleMs: usual.idleMs,
  };
}

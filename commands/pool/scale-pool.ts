import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { parseDuration } from "../../lib/sweep/duration.ts";
import { say } from "../open.ts";
import type { PoolDoor } from "../pool-door.ts";
import type { PoolContext } from "./options.ts";

/** How many workers are SLURM jobs. */
export async function scale(
  { values, out, json }: PoolContext,
  door: PoolDoor,
  rest: readonly string[],
): Promise<number> {
  if (rest.length > 0) {
    throw new UserError(`Cannot scale the pool: "${rest[0]}" is not expected`, {
      hint: "herd pool scale --slurm 4, or herd pool scale --min 0 --max 8",
    });
  }
  const { slurm, min, max, slots, partition, account, mem, cpus } = values;
  if (slurm === undefined && min === undefined && max === undefined) {
    throw new UserError("Cannot scale the pool: how many workers is not said", {
      hint: "herd pool scale --slurm 4, or herd pool scale --min 0 --max 8",
    });
  }
  const options = [
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(mem === undefined ? [] : [`--mem=${mem}`]),
    ...(cpus === undefined ? [] : [`--cpus-per-task=${cpus}`]),
  ];
  const wish = {
    ...{ slurm, min, max, slots, partition },
    time_minutes: values.time === undefined ? undefined : minutesOf(values.time),
    ...(options.length === 0 ? {} : { options }),
  };
  const { least, most } = await door.request<{ least: number; most: number }>(
    "POST",
    "/v1/pool/scale",
    Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined)),
  );
  if (json) out.json({ least, most, running: door.running });
  else out.print(sentence(least, most));
  if (!door.running) say(out, "No daemon runs: jobs are submitted once `herd pool start` is");
  return EXIT.done;
}

function minutesOf(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === null) throw new UserError("Cannot scale the pool: a job's time has an end");
  return seconds / 60;
}

function sentence(least: number, most: number): string {
  if (most === 0) return "Workers in SLURM finish what they have and end";
  if (least === most) return `${least} workers in SLURM are kept; \`herd pool\` shows them`;
  return `From ${least} to ${most} workers in SLURM, by what waits; \`herd pool\` shows them`;
}

import type { Clock } from "../base/clock.ts";
import { createFileLog } from "../base/log.ts";
import { holdSweep } from "./held-sweep.ts";
import type { OutsideRequest } from "./outside.ts";

export interface SweepPreview {
  sweep: string;
  path: string;
  totals: Readonly<Record<string, number>>;
  credentials: string;
  decisions: readonly string[];
  system: string;
  prompt: string;
}

/** What a monitor that started now would find and do. Writes nothing and asks no scheduler. */
export async function previewSweep(
  parts: Pick<OutsideRequest, "workspace" | "env" | "signal" | "self" | "onWarning"> & {
    clock: Clock;
    noAgent: boolean;
    scheduler: "slurm" | "local" | undefined;
  },
): Promise<SweepPreview> {
  const { workspace, env, clock, self, noAgent, scheduler, onWarning } = parts;
  await using held = holdSweep({
    path: workspace,
    env,
    clock,
    log: createFileLog(undefined, clock),
    self,
    nameOf: (sweep) => sweep,
    noAgent,
    scheduler,
    canAsk: () => true,
    onAsk: () => {},
    options: {},
    onWarning,
    runs: false,
  });
  const { decisions, prompt, system } = held.preview();
  return {
    sweep: held.desk.id,
    path: held.desk.path,
    totals: held.desk.status({ limit: 1 }).totals,
    credentials: held.credentials,
    decisions,
    system,
    prompt,
  };
}

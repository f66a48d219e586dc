import type { Submitted, WishOverrides } from "./pool-desk.ts";
import type { Origin } from "./task.ts";

/** Which trial an agent is to look at. */
export interface TrialQuestion {
  /** A sweep's name in this daemon, or the absolute path of its folder or YAML. */
  sweep: string;
  trial: number;
  /** What is asked, with tags; undefined for why it failed. */
  text: string | undefined;
  overrides: WishOverrides;
}

/** Where the pool meets the sweeps: tasks about trials, and the changes that they propose. */
export interface TrialTasks {
  /**
   * The same question about the same run of the same trial is the same task, whoever asks it
   * through whatever door. Throws UserError or RefusedError where the sweep cannot be read.
   */
  ask(
    question: TrialQuestion,
    origin: Omit<Origin, "sweep" | "trial" | "sweepPath">,
  ): Promise<Submitted>;
  /** `text` is a sentence for people. Throws UserError or RefusedError. */
  apply(task: string, by: string, epoch?: number): Promise<Decided>;
  dismiss(task: string, by: string, epoch?: number): Promise<Decided>;
}

/** `over`: there is nothing to decide any more. A reason is a sentence without period. */
export type Decided =
  | { done: true; text: string }
  | { done: false; reason: string; over?: boolean };

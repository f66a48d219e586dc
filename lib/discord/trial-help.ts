import type { Submitted } from "../tasks/pool-desk.ts";
import type { Decided } from "../tasks/trial-tasks.ts";
import type { Ruling } from "./access.ts";
import { encodeButton } from "./button-id.ts";
import type { Button, Id, Member } from "./message.ts";

/** The pool's agents, as a sweep's channel offers them. */
export interface TrialHelp {
  /** Whether a pool is open in this daemon: then posts about failed trials offer it. */
  isOpen(): boolean;
  /** Whether the pool takes tasks of this person; undefined where it has no rules for Discord. */
  rule(member: Member): Promise<Ruling | undefined>;
  /** Undefined text: why it failed. Throws UserError or RefusedError where the sweep cannot be read. */
  ask(
    question: { trial: number; text: string | undefined },
    who: { kind: "button" | "slash"; by: string; name: string; channelId: Id; messageId?: Id },
  ): Promise<Submitted>;
  apply(task: string, epoch: number, by: string): Promise<Decided>;
  dismiss(task: string, epoch: number, by: string): Promise<Decided>;
}

/** "Let an agent look", under whatever tells of a failed trial. */
export function agentButton(
  trial: number,
  sweep: string,
  label = "Let an agent look",
): Button | undefined {
  const id = encodeButton({ action: "agent", sweep, args: [`${trial}`] });
  return id === undefined ? undefined : { id, label, emoji: "🔎", style: "secondary" };
}

/** Whether to apply a change. Empty where the ids have no room. */
export function changeRow(task: string, epoch: number, sweep: string): readonly Button[] {
  const args = [task, `${epoch}`];
  const apply = encodeButton({ action: "apply", sweep, args });
  const dismiss = encodeButton({ action: "dismiss", sweep, args });
  return apply === undefined || dismiss === undefined ? [] : [
    { id: apply, label: "Apply", style: "primary" },
    { id: dismiss, label: "Dismiss", style: "secondary" },
  ];
}

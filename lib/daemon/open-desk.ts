import type { Desk } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import { createFileLog } from "../base/log.ts";
import { holdSweep } from "./held-sweep.ts";
import { findRemoteIn } from "./remote.ts";
import type { OutsideRequest } from "./outside.ts";

/**
 * The desk of a workspace for a process that is no daemon. What changes the sweep
 * goes through the daemon where one holds it; reading is done here.
 */
export function openDesk(
  request: Pick<OutsideRequest, "env" | "signal" | "self" | "onWarning"> & {
    clock: Clock;
    workspace: string;
  },
): Promise<Desk> {
  const { env, clock, signal, self, workspace, onWarning } = request;
  const held = holdSweep({
    path: workspace,
    env,
    clock,
    log: createFileLog(undefined, clock),
    self,
    nameOf: (sweep) => sweep,
    noAgent: true,
    scheduler: undefined,
    canAsk: () => false,
    onAsk: () => {},
    options: {},
    onWarning,
    findRemote: findRemoteIn(env, signal, "mcp"),
    runs: false,
  });
  return Promise.resolve(held.desk);
}

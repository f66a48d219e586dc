import type { PoolDesk } from "../tasks/pool-desk.ts";
import { dueBetween } from "../tasks/schedule-due.ts";

/**
 * Submits what is due. The task's id names schedule and time: a daemon that dies between the
 * submission and its record submits the same task again, which is no new one.
 */
export function fireSchedules(desk: PoolDesk, now: number): void {
  for (const schedule of desk.config().schedules) {
    const since = desk.state().fired.get(schedule.name);
    if (since === undefined) {
      // A new one begins with the next time that is due, not with all that were.
      desk.fired(schedule.name, now, "");
      continue;
    }
    for (const due of dueBetween(schedule, since, now)) {
      const minute = new Date(due).toISOString().slice(0, 16).replace(":", "");
      const id = `s-${schedule.name}-${minute}`;
      const by = `schedule:${schedule.name}`;
      desk.submit(schedule.task, {}, { kind: "schedule", by, name: schedule.name }, id);
      desk.fired(schedule.name, due, id);
    }
  }
}

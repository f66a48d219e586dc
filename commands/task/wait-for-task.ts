import { RefusedError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { visible } from "../../lib/base/width.ts";
import type { Context } from "../command.ts";
import type { PoolDoor } from "../pool-door.ts";
import { cutNote } from "./show-task.ts";
import type { TaskDocument } from "./show-task.ts";

const OVER = ["succeeded", "failed", "cancelled", "expired", "dead"];
/** Each request waits so long, so that none looks dead to a proxy or a laptop that slept. */
const WAIT_SECONDS = 25;

/** Shows the answer when the task is over; the exit code tells whether it succeeded. */
export async function waitForTask(
  { out, json }: Pick<Context, "out" | "json">,
  door: PoolDoor,
  id: string,
): Promise<number> {
  for (;;) {
    const task = await door.request<TaskDocument>(
      "GET",
      `/v1/pool/tasks/${encodeURIComponent(id)}?wait=${door.running ? WAIT_SECONDS : 0}`,
      undefined,
      (WAIT_SECONDS + 20) * 1000,
    );
    if (OVER.includes(task.status)) {
      const done = task.status === "succeeded";
      if (json) out.json(task);
      else if (done) {
        (task.result ?? "").split("\n").forEach((line) => out.print(visible(line)));
        const more = cutNote(task);
        if (more !== undefined) out.printError(more);
      } else out.printError(`${task.task} ${task.status}: ${visible(task.why)}`);
      return done ? EXIT.done : EXIT.negative;
    }
    if (!door.running) {
      throw new RefusedError(`Cannot wait for "${id}": no daemon runs, so nobody works on it`, {
        hint: "`herd pool start` starts one",
      });
    }
  }
}

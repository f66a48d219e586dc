import type { taskKey } from "../../sweep/sighting.ts";

/** The key of a look's maps. Written again here because schedulers import only types of the model. */
export function keyOf(jobId: string, task: number): ReturnType<typeof taskKey> {
  return `${jobId}_${task}`;
}

import { SchedulerError, UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { MirrorError } from "./mirror-error.ts";

/** What fails of a mirror in the words of a scheduler: the same may be tried again, or has to be mended first. */
export async function asScheduler<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    // A mistake of the user's, or what the disk here refuses; anything else is a bug.
    if (!(error instanceof UserError) && codeOf(error) === undefined) throw error;
    const { message } = error as Error;
    const hint = error instanceof UserError && error.hint !== undefined ? `. ${error.hint}` : "";
    const isPassing = error instanceof MirrorError && error.kind === "unreachable";
    throw new SchedulerError(isPassing ? "unreachable" : "rejected", `${message}${hint}`, {
      cause: error,
    });
  }
}

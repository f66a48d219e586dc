import { SchedulerError } from "../base/errors.ts";
import { SshError } from "./ssh-error.ts";
import type { SshHost } from "./ssh-host.ts";

/** Connects while a person may be asked. What may be over soon is `unreachable`, so that scripts try again. */
export async function enterHost(host: Pick<SshHost, "connect">, signal: AbortSignal) {
  try {
    await host.connect(signal);
  } catch (error) {
    if (!(error instanceof SshError) || !error.passing) throw error;
    const hint = error.hint === undefined ? "" : `. ${error.hint}`;
    throw new SchedulerError("unreachable", `${error.message}${hint}`, { cause: error });
  }
}

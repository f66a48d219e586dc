import { SshError } from "../ssh/ssh-error.ts";
import type { SshHost } from "../ssh/ssh-host.ts";

export interface GovernedHostParts {
  host: SshHost;
  /** Whether another try without a person may do no harm, now that it was refused. */
  mayTry(): boolean;
  /** Such as `not reached since 14:03 UTC`; undefined while it is reached. */
  standing(): string | undefined;
}

/**
 * A host for a program that nobody watches: after a refusal it does not knock at the door with
 * each step (sites lock accounts for that), yet tries again in time; and each failure says since when.
 */
export function governHost({ host, mayTry, standing }: GovernedHostParts): SshHost {
  const dated = (text: string) => [text, standing()].filter((one) => one !== undefined).join("; ");

  function datedError(error: unknown): unknown {
    if (!(error instanceof SshError)) return error;
    const { step, hint, passing } = error;
    return new SshError(step, error.host, dated(error.message), {
      ...{ passing, cause: error },
      ...(hint === undefined ? {} : { hint }),
    });
  }

  async function again(signal: AbortSignal | undefined): Promise<void> {
    if (host.state.kind === "refused" && mayTry()) await host.connect(signal).catch(() => {});
  }

  return {
    name: host.name,
    get state() {
      return host.state;
    },
    onState: host.onState,
    async connect(signal) {
      try {
        if (host.state.kind === "refused" && !mayTry()) throw host.state.error;
        return await host.connect(signal);
      } catch (error) {
        throw datedError(error);
      }
    },
    async run(argv, options) {
      await again(options?.signal);
      const ended = await host.run(argv, options);
      return ended.lost === undefined ? ended : { ...ended, lost: dated(ended.lost) };
    },
    async stream(argv, options) {
      await again(options?.signal);
      return await host.stream(argv, options);
    },
    files: host.files,
    async forward(target, signal) {
      await again(signal);
      return await host.forward(target, signal);
    },
    close: host.close,
    [Symbol.asyncDispose]: host[Symbol.asyncDispose],
  };
}

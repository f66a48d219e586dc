import type { Duplex } from "node:stream";
import type { SshLink } from "./open-link.ts";
import { SshError } from "./ssh-error.ts";
import type { ForwardTarget } from "./ssh-host.ts";

/** A connection from the host to a socket there. Rejects with SshError. */
export function openForward({ client, facts }: SshLink, target: ForwardTarget): Promise<Duplex> {
  const shown = "socketPath" in target ? target.socketPath : `${target.host}:${target.port}`;
  return new Promise((resolve, reject) => {
    const done = (error: Error | undefined, channel: Duplex) => {
      if (!error) return resolve(channel);
      reject(
        new SshError(
          "channel",
          facts.address,
          `Cannot reach "${shown}" from "${facts.address}": ${error.message}`,
          {
            hint: "Does anything listen there, and does the server allow forwarding?",
            cause: error,
          },
        ),
      );
    };
    try {
      if ("socketPath" in target) client.openssh_forwardOutStreamLocal(target.socketPath, done);
      else client.forwardOut("127.0.0.1", 0, target.host, target.port, done);
    } catch (error) {
      done(error as Error, undefined as never);
    }
  });
}

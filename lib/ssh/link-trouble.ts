import type { ResolvedHost } from "./resolve-host.ts";
import { SshError } from "./ssh-error.ts";

/** Disconnect reasons of RFC 4253 that matter here. */
const TOO_MANY_FAILURES = 2;

/** What ssh2 or the other side said, as an error of one step. `up` tells a cut from a failed start. */
export function linkTrouble(
  host: ResolvedHost,
  error: (Error & { level?: string; code?: unknown }) | undefined,
  up: boolean,
): SshError {
  const said = error?.message ?? "the other side closed it";
  const cause = error === undefined ? {} : { cause: error };
  if (up) {
    const why = error?.level === "client-timeout" ? "it answers no longer" : said;
    return new SshError("lost", host.alias, `The connection to "${host.alias}" was cut: ${why}`, {
      hint: "It is made again when it is needed",
      passing: true,
      ...cause,
    });
  }
  if (error?.code === TOO_MANY_FAILURES && /authentication/i.test(said)) {
    return new SshError(
      "authentication",
      host.alias,
      `Cannot log in at "${host.alias}" as "${host.user}": ${said}`,
      {
        hint:
          "Too many keys were offered: name the right one with IdentityFile, and IdentitiesOnly yes",
        ...cause,
      },
    );
  }
  if (error?.level === "handshake" && /no matching/i.test(said)) {
    return new SshError("connect", host.alias, `Cannot connect to "${host.alias}": ${said}`, {
      hint: "The server knows only methods that are no longer safe; its operators should renew it",
      ...cause,
    });
  }
  const why = /before handshake/i.test(said) ? "it closed the connection at once" : said;
  return new SshError(
    "connect",
    host.alias,
    `Cannot connect to "${host.alias}" (${host.hostName}, port ${host.port}): ${why}`,
    { hint: "Does an ssh server listen there? Try again", passing: true, ...cause },
  );
}

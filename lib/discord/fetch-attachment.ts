import { DiscordError } from "./discord-error.ts";
import { networkTrouble } from "./network-trouble.ts";
import type { Proxy } from "./proxy.ts";

/** Where Discord keeps what was attached. */
const HOSTS: readonly string[] = ["cdn.discordapp.com", "media.discordapp.net"];
const TIMEOUT_MS = 60_000;

/** Fetches a file of a message, at most so many bytes of it. Throws DiscordError. */
export type FetchAttachment = (
  url: string,
  most: number,
  signal?: AbortSignal,
) => Promise<Uint8Array>;

/**
 * Nothing but Discord's own hosts and that of the API is asked, and no token is sent: an address
 * comes in a message, and must not lead a daemon around in its network.
 */
export function createFetchAttachment(
  { apiUrl, proxy }: { apiUrl: string; proxy: Proxy | undefined },
): FetchAttachment {
  return async (url, most, signal) => {
    if (!isAllowed(url, apiUrl)) {
      throw refused("its address is not Discord's", "rejected");
    }
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const answer = await fetch(url, {
        redirect: "error",
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        // Bun's own option; Deno takes the proxy from the environment alone.
        ...(proxy === undefined ? {} : { proxy: proxy.url }),
      });
      if (answer.status !== 200) {
        await answer.body?.cancel();
        throw refused(`HTTP ${answer.status}`, "unreachable");
      }
      return await bytesOf(answer, most);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof DiscordError) throw error;
      throw refused(networkTrouble(error), "unreachable");
    }
  };
}

/** Only `https`, but for the API's own address, as a test has it. */
export function isAllowed(url: string, apiUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, origin, username } = new URL(url);
  if (username !== "") return false;
  if (URL.canParse(apiUrl) && origin === new URL(apiUrl).origin) return true;
  return protocol === "https:" && HOSTS.includes(hostname) && new URL(url).port === "";
}

async function bytesOf(answer: Response, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of answer.body ?? []) {
    size += piece.length;
    if (size > most) throw refused(`it has more than ${most} bytes`, "rejected");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function refused(why: string, kind: "rejected" | "unreachable"): DiscordError {
  return new DiscordError(`Cannot fetch an attached file: ${why}`, { kind });
}

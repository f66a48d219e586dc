import { createRestManager } from "@discordeno/bot";
import type { OutgoingFile } from "./message.ts";
import type { Call } from "./call-discord.ts";
import type { Proxy } from "./proxy.ts";
import type { Answer } from "./read-failure.ts";

/** Version of the API that the conversions in this folder are written for. */
export const API_VERSION = 10;

/**
 * One request, without a queue: Discordeno makes headers and multipart of it.
 *
 * Its queue is not used. Seen with 21.0.0: one dropped connection stops a route's queue for ever;
 * after a 429 a message is sent behind the ones that came later; a 429 without
 * `x-ratelimit-reset-after` is tried again without a pause; and nothing in it can be aborted.
 */
export function createSend(
  { token, baseUrl, proxy }: { token: string; baseUrl: string; proxy: Proxy | undefined },
): (call: Call, signal: AbortSignal) => Promise<Answer> {
  // With an id, or the token would be taken apart for it and a wrong one throw here.
  const rest = createRestManager({ token, applicationId: "1", version: API_VERSION });
  return async ({ method, route, written, secret }, signal) => {
    const files = written?.files ?? [];
    const request = rest.createRequestBody(method, {
      ...(written === undefined ? {} : { body: written.body }),
      ...(files.length === 0 ? {} : { files: files.map(blobOf) }),
      ...(secret === undefined ? {} : { unauthorized: true }),
    });
    const response = await fetch(`${baseUrl}/v${API_VERSION}${route}`, {
      ...request,
      signal,
      redirect: "manual",
      // Bun's own option; Deno takes the proxy from the environment alone.
      ...(proxy === undefined ? {} : { proxy: proxy.url }),
    });
    return { status: response.status, headers: response.headers, text: await textOf(response) };
  };
}

/** Discord's own answers are far below it. Bytes. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

/** What a broken proxy sends without end is cut, and then is no JSON. */
async function textOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > LONGEST_ANSWER) break;
    pieces.push(piece);
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

/** `https://discord.com/api`, however it was written. */
export function apiBase(url: string): string {
  return url.replace(/\/+$/, "").replace(/\/v\d+$/, "");
}

function blobOf({ name, bytes, contentType }: OutgoingFile): { name: string; blob: Blob } {
  return { name, blob: new Blob([bytes as Uint8Array<ArrayBuffer>], { type: contentType }) };
}

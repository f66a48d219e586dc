import type { Clock } from "../base/clock.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface DownloadParts {
  fetch: Fetch;
  clock: Clock;
  /** From where files are fetched, such as "https://cdn.discordapp.com"; nowhere else. */
  origins: readonly string[];
}

export interface DownloadWish {
  url: string;
  /** Bytes; one more and it fails. */
  most: number;
  signal: AbortSignal;
  /** Given each piece as it comes. */
  take(piece: Uint8Array): void | Promise<void>;
}

/** `status`: what the server answered, where it did. `tooLong`: it had more than was wanted. */
export type Downloaded =
  | { bytes: number }
  | { failed: string; status?: number; tooLong?: boolean };

/** A small file has half a minute, a large one a second more for each megabyte. */
const PATIENCE_MS = 30_000;

/**
 * Fetches a file, piece by piece. Follows no redirect: where one may lead, nobody allowed. A failure is a
 * value, in words without the address; only what `take` throws and a cancel are thrown.
 */
export async function download(
  { fetch, clock, origins }: DownloadParts,
  { url, most, signal, take }: DownloadWish,
): Promise<Downloaded> {
  signal.throwIfAborted();
  const refused = refusalOf(url, origins);
  if (refused !== undefined) return { failed: refused };
  const late = new AbortController();
  const over = new AbortController();
  void clock.sleep(PATIENCE_MS + Math.floor(most / 1_000), over.signal).then(
    () => late.abort(),
    () => {},
  );
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.any([signal, late.signal]),
    });
    const bad = badAnswer(response, most);
    if (bad !== undefined) {
      await response.body?.cancel().catch(() => {});
      return bad;
    }
    return await readAll(response, most, take);
  } catch (error) {
    signal.throwIfAborted();
    if (late.signal.aborted) return { failed: "it took too long" };
    if (error instanceof TakeError) throw error.cause;
    return { failed: "the connection broke" };
  } finally {
    over.abort();
  }
}

function refusalOf(url: string, origins: readonly string[]): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.username !== "" || parsed.password !== "") {
    return "its address is not one of a file";
  }
  return origins.includes(parsed.origin) ? undefined : "it is on a server that is not allowed";
}

function badAnswer(response: Response, most: number): Downloaded | undefined {
  const { status } = response;
  if (response.type === "opaqueredirect" || (status >= 300 && status < 400)) {
    return { failed: "the server points elsewhere", status };
  }
  if (!response.ok) return { failed: `the server answered ${status}`, status };
  const length = Number(response.headers.get("content-length") ?? 0);
  return length > most
    ? { failed: "it is longer than it was told to be", tooLong: true }
    : undefined;
}

/** Told apart from trouble with the connection: a full disk is nothing that the server did. */
class TakeError extends Error {}

async function readAll(
  response: Response,
  most: number,
  take: DownloadWish["take"],
): Promise<Downloaded> {
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > most) return { failed: "it is longer than it was told to be", tooLong: true };
    try {
      await take(piece);
    } catch (cause) {
      throw new TakeError("Cannot keep a piece", { cause });
    }
  }
  return { bytes };
}

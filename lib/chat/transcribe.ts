import type { Clock } from "../base/clock.ts";
import type { Fetch } from "./download.ts";

export interface TranscriberParts {
  fetch: Fetch;
  clock: Clock;
  /** Of an OpenAI-compatible service, such as "https://api.groq.com/openai/v1". */
  baseUrl: string;
  /** Undefined for a local one that wants none. */
  key: string | undefined;
  model: string;
}

export type Transcribe = (
  sound: { bytes: Uint8Array; name: string; contentType: string },
  signal: AbortSignal,
) => Promise<{ text: string } | { failed: string }>;

const PATIENCE_MS = 120_000;
/** Of an answer; more is no transcript. */
const MOST_BYTES = 4 * 1_024 * 1_024;

/** Speech to text by a service. A failure is a value in words that hold neither key nor address. */
export function createTranscriber(parts: TranscriberParts): Transcribe {
  const { fetch, clock, baseUrl, key, model } = parts;
  const address = `${baseUrl.replace(/\/+$/, "")}/audio/transcriptions`;

  async function ask(body: FormData, signal: AbortSignal) {
    const response = await fetch(address, {
      method: "POST",
      body,
      signal,
      redirect: "error",
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });
    if (!response.ok) {
      await response.body?.cancel().catch(() => {});
      return { failed: `the service answered ${response.status}` };
    }
    const text = textIn(await limitedText(response));
    if (text === undefined) return { failed: "the service's answer was not understood" };
    return text.trim() === "" ? { failed: "no speech was found in it" } : { text: text.trim() };
  }

  return async ({ bytes, name, contentType }, signal) => {
    signal.throwIfAborted();
    const body = new FormData();
    const sound = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: contentType });
    body.set("file", sound, name);
    body.set("model", model);
    body.set("response_format", "json");
    const late = new AbortController();
    const over = new AbortController();
    void clock.sleep(PATIENCE_MS, over.signal).then(() => late.abort(), () => {});
    try {
      return await ask(body, AbortSignal.any([signal, late.signal]));
    } catch {
      signal.throwIfAborted();
      return {
        failed: late.signal.aborted
          ? "the service took too long"
          : "the service could not be reached",
      };
    } finally {
      over.abort();
    }
  };
}

async function limitedText(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > MOST_BYTES) return "";
    pieces.push(piece);
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

function textIn(answer: string): string | undefined {
  try {
    const { text } = JSON.parse(answer) ?? {};
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}

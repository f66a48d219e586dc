import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createControlApp } from "../../../lib/control/app.ts";
import type { ControlAppOptions } from "../../../lib/control/app.ts";
import { createControlClient } from "../../../lib/control/client.ts";
import type { ControlClient } from "../../../lib/control/client.ts";
import { startControl } from "../../../lib/control/start-control.ts";
import type { Control } from "../../../lib/control/start-control.ts";
import { createScriptedStation } from "./scripted-station.ts";
import type { ScriptedDesk, ScriptedStation } from "./scripted-station.ts";

export const TOKEN = "the-token-of-this-test";

export interface Serving {
  control: Control;
  station: ScriptedStation;
  desk: ScriptedDesk;
  client: ControlClient;
  /** What went wrong inside. */
  errors: unknown[];
  folder: string;
}

/** Runs the API on the loopback and a Unix socket for as long as `use` takes. */
export async function serving(
  use: (serving: Serving) => Promise<void>,
  options: Partial<ControlAppOptions> = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd-control-"));
  chmodSync(folder, 0o700);
  const station = createScriptedStation();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const app = createControlApp(station, {
    token: TOKEN,
    allowedHosts: [],
    user: "alice",
    onError,
    ...options,
  });
  const socketPath = join(folder, "s");
  const control = await startControl({ app, socketPath, onError });
  const client = createControlClient({ address: { socketPath }, token: TOKEN, timeoutMs: 10_000 });
  try {
    await use({ control, station, desk: station.list[0]!, client, errors, folder });
  } finally {
    await control.close();
    rmSync(folder, { recursive: true });
  }
}

export interface Said {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // deno-lint-ignore no-explicit-any
  json: any;
}

/** One plain request over TCP, with exactly these headers (and Host, unless given). */
export function ask(
  port: number,
  method: string,
  path: string,
  { headers = {}, body, token = TOKEN }: {
    headers?: Record<string, string>;
    body?: string;
    token?: string | undefined;
  } = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      agent: false,
      headers: {
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        }),
        ...headers,
      },
    }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece) => text += piece);
      answer.on("error", reject);
      answer.on("end", () => {
        const isJson = answer.headers["content-type"]?.startsWith("application/json");
        const json = isJson ? JSON.parse(text) : undefined;
        resolve({ status: answer.statusCode!, headers: answer.headers, text, json });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Resolves when `wanted` holds; asked at each turn of the event loop, so no time is lost. */
export async function until(wanted: () => boolean, what: string, ms = 10_000): Promise<void> {
  const limit = Date.now() + ms;
  while (!wanted()) {
    if (Date.now() > limit) throw new Error(`Never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

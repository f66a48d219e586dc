import { userName } from "../lib/base/user-name.ts";
import { randomUUID } from "node:crypto";
import type { InfoDocument } from "../lib/actions/desk.ts";
import type { ControlClient } from "../lib/control/client.ts";
import type { Event } from "../lib/sweep/event.ts";
import { postLines } from "./post-lines.ts";
import { sweepPath } from "./remote-port.ts";
import type { Context } from "./command.ts";

/**
 * Says something to a sweep that a daemon holds, and resolves when it was answered: the answer is
 * printed. The daemon goes on. Throws when the daemon is gone before, or the signal comes.
 */
export async function askOnce(
  { out, json, signal }: Pick<Context, "out" | "json" | "signal">,
  client: ControlClient,
  { id: sweep }: Pick<InfoDocument, "id">,
  text: string,
): Promise<void> {
  const id = `cli-${randomUUID()}`;
  const over = new AbortController();
  const answers: Event[] = [];
  let isHandled = false;
  // From before it is said, so that no answer is missed.
  const { seq } = await latest(client, sweep);
  await client.say(sweep, { id, name: userName(), text });
  const following = { after: seq, signal: AbortSignal.any([signal, over.signal]) };
  const path = `${sweepPath(sweep)}/events?types=said,messages-handled`;
  await client.events(path, following, (frame) => {
    if (frame.event !== "message") return;
    const event = JSON.parse(frame.data) as Event;
    const { what } = event;
    if (what.type === "said" && what.said.replyTo === id) answers.push(event);
    if (what.type === "messages-handled" && what.ids.includes(id)) {
      isHandled = true;
      over.abort();
    }
  }).catch((error) => {
    if (!isHandled) throw error;
  });
  signal.throwIfAborted();
  const said = answers.flatMap(({ at, what }) =>
    what.type === "said" ? [{ at, kind: what.said.kind, text: what.said.text }] : []
  );
  if (json) return out.json({ sweep, answers: said.map(({ text }) => text) });
  const look = { paint: out.paint, columns: Math.min(out.columns, 120) };
  for (const one of said) out.print(postLines(one, look).join("\n"));
}

async function latest(client: ControlClient, sweep: string): Promise<{ seq: number }> {
  const { items } = await client.request<{ items: readonly { seq: number }[] }>(
    "GET",
    `${sweepPath(sweep)}/messages?limit=1`,
  );
  return { seq: items.at(-1)?.seq ?? 0 };
}

import { randomUUID } from "node:crypto";
import { z } from "@hono/zod-openapi";
import type { Desk } from "../../actions/desk.ts";
import type { Event } from "../../sweep/event.ts";
import { PageQuery, SweepParams } from "../request-parts.ts";
import { deskOf, documentRoute } from "../route.ts";
import type { Route } from "../route.ts";
import { itemsOf } from "../schemas.ts";

const tag = "Messages";

const HeardOrSaid = z.object({
  seq: z.number(),
  at: z.number(),
  by: z.string(),
  /** `heard`: somebody wrote it; `said`: the monitor did. */
  direction: z.enum(["heard", "said"]),
  id: z.string().openapi({ description: "A message's id, or a post's key" }),
  name: z.string().nullable(),
  kind: z.string().nullable(),
  text: z.string(),
  replyTo: z.string().nullable(),
}).openapi("Message");

/** Events read from the journal at once. */
const PAGE = 10_000;
const DEFAULT_LIMIT = 50;

export const MESSAGE_ROUTES: readonly Route[] = [
  documentRoute({
    method: "post",
    path: "/v1/sweeps/{id}/messages",
    tag,
    summary: "Say something to the agent",
    description: "Answered when it is stored. A message with the id of an earlier one is heard " +
      "only once, so that a client may send it again when the answer got lost.",
    params: SweepParams,
    body: z.strictObject({
      text: z.string().trim().min(1).max(100_000),
      id: z.string().min(1).max(200).optional(),
      name: z.string().min(1).max(100).optional(),
    }),
    status: 202,
    answer: z.object({
      id: z.string(),
      heard: z.boolean().openapi({ description: "False: a message of that id was heard before" }),
    }),
    failures: ["refused"],
    async handle({ station, by, params, body: { text, id = `api-${randomUUID()}`, name } }) {
      const message = { id, from: by, name: name ?? by.replace(/^[^:]*:/, ""), text };
      return { id, heard: await deskOf(station, params.id).receive(message) };
    },
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/messages",
    tag,
    summary: "What was heard and said last, oldest first",
    params: SweepParams,
    query: z.strictObject({ limit: PageQuery.limit }),
    answer: itemsOf(HeardOrSaid),
    handle: async ({ station, params, query }) => ({
      items: await lastMessages(deskOf(station, params.id), query.limit ?? DEFAULT_LIMIT),
    }),
  }),
];

/** Read in pages with a breath between: the loop of the daemon is not to wait for a long journal. */
async function lastMessages(desk: Desk, limit: number): Promise<z.input<typeof HeardOrSaid>[]> {
  let found: z.input<typeof HeardOrSaid>[] = [];
  for (let after = 0;;) {
    const events = desk.events(after, PAGE);
    found = [...found, ...events.flatMap(messageOf)].slice(-limit);
    if (events.length < PAGE) return found;
    after = events.at(-1)!.seq;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function messageOf({ seq, at, by, what }: Event): z.input<typeof HeardOrSaid>[] {
  if (what.type === "message-received") {
    const { id, from, name, text } = what.message;
    const heard = { direction: "heard" as const, id, name, kind: null, text, replyTo: null };
    return [{ seq, at, by: from, ...heard }];
  }
  if (what.type !== "said") return [];
  const { key: id, kind, text, replyTo = null } = what.said;
  return [{ seq, at, by, direction: "said", id, name: null, kind, text, replyTo }];
}

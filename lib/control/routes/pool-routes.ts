import { z } from "@hono/zod-openapi";
import { createSystemClock } from "../../base/clock.ts";
import { answerExchange } from "../../tasks/via-http-door.ts";
import { costReport } from "../../tasks/cost-report.ts";
import type { CostRow } from "../../tasks/cost-report.ts";
import { readForeignReport, readWorkerReport } from "../../tasks/exchange-schema.ts";
import { EXCHANGE_SCHEMA, FENCE_MS } from "../../tasks/exchange.ts";
import type { ForeignReport } from "../../tasks/exchange-schema.ts";
import { poolDocument } from "../../tasks/pool-document.ts";
import { RequestError } from "../failure.ts";
import { truth, whole } from "../request-parts.ts";
import { documentRoute } from "../route.ts";
import type { Route } from "../route.ts";
import { LooseSchema } from "../schemas.ts";
import { poolOf, refuseUnless } from "./task-routes.ts";

const tag = "Pool";

const WorkerParams = z.object({
  worker: z.string().min(1).max(63).openapi({ description: "A worker's name" }),
});
const Done = z.object({ done: z.literal(true) });
const DONE = { done: true } as const;

/** A worker that waits for orders asks again after so many seconds at the latest. */
const MOST_WAIT_SECONDS = 50;

export const POOL_ROUTES: readonly Route[] = [
  documentRoute({
    method: "get",
    path: "/v1/pool",
    tag,
    summary: "Queue, workers, money",
    answer: LooseSchema,
    handle: ({ station }) => ({ ...poolDocument(poolOf(station), Date.now()) }),
  }),
  documentRoute({
    method: "get",
    path: "/v1/pool/cost",
    tag,
    summary: "What was spent, by day, model or worker",
    query: z.object({
      by: z.enum(["day", "model", "worker"]).optional(),
      since: z.string().regex(/^\d{4}-\d\d-\d\d$/, { error: "must be a day such as 2026-11-21" })
        .optional(),
    }),
    answer: LooseSchema,
    handle({ station, query: { by = "day", since } }) {
      const { rows, totals } = costReport(poolOf(station).state().spent, { by, since });
      return { by, rows: rows.map(rowDocument), total: rowDocument(totals) };
    },
  }),
  documentRoute({
    method: "get",
    path: "/v1/pool/models",
    tag,
    summary: "The models that tasks may name",
    answer: z.object({ default: z.string().nullable(), items: z.array(LooseSchema) }),
    handle({ station }) {
      const { models, defaults } = poolOf(station).config();
      return {
        default: defaults.model ?? null,
        items: Object.entries(models).map(([name, { backend, model, price, use }]) => ({
          name,
          backend,
          model: model ?? null,
          usd_per_million_tokens: price === undefined ? null : {
            input: price.input,
            output: price.output,
            cache_read: price.cacheRead,
            cache_write: price.cacheWrite,
          },
          use: use ?? null,
        })),
      };
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/start",
    tag,
    summary: "Open the pool in this daemon, and keep the daemon for it",
    body: z.strictObject({}),
    answer: Done,
    failures: ["refused"],
    async handle({ station }) {
      await station.startPool();
      return DONE;
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/scale",
    tag,
    summary: "How many workers are SLURM jobs",
    description: "`slurm` is a number that is kept; without it, between `min` and `max` by what " +
      "waits. What is left out is as the configuration says.",
    body: z.strictObject({
      slurm: z.number().int().min(0).optional(),
      min: z.number().int().min(0).optional(),
      max: z.number().int().min(0).optional(),
      slots: z.number().int().min(1).optional(),
      partition: z.string().min(1).max(200).optional(),
      time_minutes: z.number().min(1).optional(),
      options: z.array(z.string().max(500)).max(50).optional(),
    }),
    answer: z.object({ least: z.number(), most: z.number() }),
    failures: ["refused"],
    handle({ station, by, body: { min, max, time_minutes: timeMinutes, ...rest } }) {
      const pool = poolOf(station);
      refuseUnless(pool.scale({ ...rest, least: min, most: max, timeMinutes }, by));
      const { least, most } = pool.state().scale!;
      return { least, most };
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/stop",
    tag,
    summary: "No new work; with `now`, every agent ends too",
    body: z.strictObject({
      now: z.boolean().optional(),
      reason: z.string().trim().max(500).optional(),
    }),
    answer: Done,
    handle({ station, by, body: { now = false, reason = "" } }) {
      refuseUnless(poolOf(station).stop({ now, why: reason || `told to by ${by}` }, by));
      return DONE;
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/resume",
    tag,
    summary: "Work goes on after a stop",
    body: z.strictObject({}),
    answer: Done,
    failures: ["refused"],
    handle({ station, by }) {
      refuseUnless(poolOf(station).resume(by));
      return DONE;
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/clear",
    tag,
    summary: "Cancel what waits and acknowledge every failure; what runs goes on",
    body: z.strictObject({}),
    answer: z.object({ cancelled: z.number(), acknowledged: z.number() }),
    handle: ({ station, by }) => poolOf(station).clear(by),
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/workers",
    tag,
    summary: "A one-time code with which a worker enrols",
    body: z.strictObject({
      name: z.string().min(1).max(100),
      labels: z.array(z.string().min(1).max(63)).max(20).optional(),
      via: z.enum(["http", "files", "discord"]).optional(),
    }),
    status: 201,
    description: "A worker over files needs no code: who may write into the pool's folder is ours.",
    answer: z.object({
      worker: z.string(),
      code: z.string().nullable(),
      valid_minutes: z.number().nullable(),
      folder: z.string(),
      command: z.string().openapi({ description: "What is typed on the worker's machine" }),
    }),
    async handle({ station, by, body: { name, labels = [], via = "http" } }) {
      const pool = poolOf(station);
      const made = via === "discord" && pool.inviteByMail !== undefined
        ? await pool.inviteByMail({ name, labels }, by)
        : pool.invite({ name, labels, via }, by);
      if ("refused" in made) throw new RequestError("bad-request", made.refused);
      const { command } = made;
      return "enrolled" in made
        ? { worker: name, code: null, valid_minutes: null, folder: made.folder, command }
        : {
          worker: name,
          code: made.code,
          valid_minutes: made.minutes,
          folder: pool.folder,
          command,
        };
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/enrol",
    tag,
    summary: "Use a code up; needs no other token",
    body: z.strictObject({ code: z.string().min(1).max(100) }),
    answer: z.object({ worker: z.string(), secret: z.string() }),
    failures: ["refused"],
    handle({ station, body: { code } }) {
      const made = poolOf(station).enrol(code);
      if ("refused" in made) throw new RequestError("refused", made.refused);
      return made;
    },
  }),
  documentRoute({
    method: "delete",
    path: "/v1/pool/workers/{worker}",
    tag,
    summary: "Remove a worker; what it runs is offered again",
    params: WorkerParams,
    answer: Done,
    failures: ["refused"],
    handle({ station, by, params }) {
      refuseUnless(poolOf(station).remove(params.worker, by));
      return DONE;
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/workers/{worker}/drain",
    tag,
    summary: "It finishes what it has and takes nothing new",
    params: WorkerParams,
    query: z.object({ undo: truth("It takes work again").optional() }),
    body: z.strictObject({}),
    answer: Done,
    failures: ["refused"],
    handle({ station, by, params, query: { undo = false } }) {
      refuseUnless(poolOf(station).drain(params.worker, !undo, by));
      return DONE;
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/workers/{worker}/exchange",
    tag,
    summary: "A worker's report, answered with its orders",
    description:
      "For workers: with their own secret in place of the daemon's token. With `wait`, " +
      "the answer comes as soon as there are orders.",
    params: WorkerParams,
    query: z.object({ wait: whole({ most: MOST_WAIT_SECONDS }).optional() }),
    body: LooseSchema,
    answer: LooseSchema,
    async handle({ station, params, query: { wait = 0 }, body, context }) {
      const foreign = readForeignReport(body);
      if (foreign !== undefined && foreign.worker === params.worker) return farewell(foreign);
      const report = readWorkerReport(JSON.stringify(body));
      if ("wrong" in report) throw new RequestError("bad-request", report.wrong);
      if (report.worker !== params.worker) {
        throw new RequestError("forbidden", `Cannot speak for worker "${report.worker}"`);
      }
      const held = { waitMs: wait * 1000, signal: context.req.raw.signal };
      const parts = { desk: poolOf(station), clock: createSystemClock() };
      return { ...await answerExchange(parts, report, held) };
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/pool/workers/{worker}/files",
    tag,
    summary: "A piece of a file that an attempt of this worker left",
    description: "For workers, with their own secret. The body is `application/octet-stream`, at " +
      "most 1 MiB; a piece that is not the next one changes nothing, and the answer tells how much " +
      "is there. The whole is taken when it is what the attempt's report named.",
    params: WorkerParams,
    query: z.object({
      task: z.string().min(1).max(100),
      epoch: whole({ least: 1 }),
      path: z.string().min(1).max(1_024),
      from: whole({ least: 0 }),
      gone: truth("The worker has it no more").optional(),
    }),
    answer: z.object({ received: z.number(), whole: z.boolean() }),
    failures: ["refused", "bad-request", "too-large", "media-type", "timeout"],
    async handle({ station, by, params, query, context }) {
      if (by !== `worker:${params.worker}`) {
        throw new RequestError("forbidden", `Cannot give files for worker "${params.worker}"`);
      }
      const bytes = new Uint8Array(await context.req.raw.arrayBuffer());
      const { gone = false, ...named } = query;
      const taken = poolOf(station).takeFile(params.worker, { ...named, gone, bytes });
      if ("refused" in taken) throw new RequestError("refused", taken.refused);
      return taken;
    },
  }),
];

/** It cannot be understood, but it can be told so in words that every version reads. */
function farewell({ schema, worker, incarnation, number }: ForeignReport) {
  const older = schema > EXCHANGE_SCHEMA ? "the daemon's" : "the worker's";
  return {
    ...{ worker, incarnation, number, assign: [], cancel: [], settled: [] },
    ...{ drain: true, stop: true, fenceMs: FENCE_MS },
    dismissed: `it speaks version ${schema} with the pool and the daemon ${EXCHANGE_SCHEMA}: ` +
      `install a newer herd on ${older} machine`,
  };
}

function rowDocument({ cacheRead, cacheWrite, ...row }: CostRow) {
  return { ...row, cache_read: cacheRead, cache_write: cacheWrite };
}

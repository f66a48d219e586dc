import type { Clock } from "../base/clock.ts";
import type { Broker } from "../chat/broker.ts";
import type { BotRules, CronJob } from "../chat/broker-config.ts";
import type { ChatHappening, JobPrompt } from "../chat/chat-event.ts";
import type { ChatState } from "../chat/chat-state.ts";
import { isStillAt, jobArrival, jobKey } from "../chat/cron-prompt.ts";
import { isPlaceAllowed } from "../chat/gate.ts";
import type { JobPoster } from "../discord/job-poster.ts";
import type { Message } from "../discord/message.ts";
import { dueBetween } from "../tasks/schedule-due.ts";

export interface BrokerSchedulesParts {
  /** Of the configuration and of the user's file, as they are now. */
  jobs(): readonly CronJob[];
  state(): ChatState;
  /** On disk when it returns; throws when the disk refuses. */
  append(whats: readonly ChatHappening[], by: string): unknown;
  broker: Pick<Broker, "accept">;
  poster: JobPoster;
  rules(): Pick<BotRules, "channels">;
  /** The bot's own user; undefined before it was connected once. */
  me(): string | undefined;
  clock: Clock;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Prompts by the clock: each is posted once and then answered as if somebody had typed it. */
export interface BrokerSchedules extends AsyncDisposable {
  start(): void;
}

const LOOK_MS = 10_000;
/** A prompt that could not be posted for so long, and need not be made up, is left out. */
const LATE_MS = 120_000;

export function createBrokerSchedules(parts: BrokerSchedulesParts): BrokerSchedules {
  const { clock } = parts;
  const stop = new AbortController();
  const told = new Set<string>();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      if (parts.me() !== undefined) await look();
      await clock.sleep(LOOK_MS, stop.signal).catch(() => {});
    }
  }

  async function look(): Promise<void> {
    for (const job of jobsOnce()) {
      if (stop.signal.aborted) return;
      try {
        await see(job);
      } catch (error) {
        if (stop.signal.aborted) return;
        // The next look tries it again.
        parts.log("info", "Cannot see to a scheduled prompt now", {
          channel: job.channelId,
          schedule: job.schedule,
          error: `${error}`,
        });
      }
    }
  }

  function jobsOnce(): readonly CronJob[] {
    return [...new Map(parts.jobs().map((job) => [jobKey(job), job])).values()];
  }

  async function see(job: CronJob): Promise<void> {
    const key = jobKey(job);
    const known = parts.state().jobs[key];
    // A new one begins with the next time that is due, not with all that were.
    if (known === undefined) return void parts.append([{ type: "job-seen", job: key }], "broker");
    if (known.open !== undefined) return await goOn(job, key, known.open);
    const cron = { cron: job.schedule, timeZone: job.timeZone, catchUp: job.catchUp };
    const due = dueBetween(cron, known.since, clock.now()).at(-1);
    if (due === undefined) return;
    const against = objection(job, key);
    if (against !== undefined) {
      parts.log("info", "A scheduled prompt is left out", { schedule: job.schedule, why: against });
      return over(key, due, undefined);
    }
    parts.append([{ type: "job-due", job: key, due }], "broker");
    await post(job, key, due);
  }

  /** Why it is not asked this time. */
  function objection(job: CronJob, key: string): string | undefined {
    const { channelId, threadId } = job;
    const place = {
      channelId,
      threadId,
      isDirect: false,
      threadOwner: undefined,
      guildId: undefined,
    };
    if (!isPlaceAllowed({ place }, parts.rules())) {
      tellOnce(job, `allowed_channels does not list its channel "${channelId}"`);
      return "its channel is not allowed";
    }
    const { prompt } = parts.state().jobs[key]!;
    return isStillAt(parts.state(), prompt) ? "the one before is not done yet" : undefined;
  }

  /** An earlier try, perhaps of an earlier life, may have posted it. */
  async function goOn(job: CronJob, key: string, due: number): Promise<void> {
    const before = parts.state().jobs[key]?.prompt?.message;
    const posted = await parts.poster.find(job, due, before, stop.signal);
    if (posted !== undefined) return take(job, key, due, posted);
    const isLate = clock.now() - due > LATE_MS;
    if (isLate && job.catchUp === "none") return over(key, due, undefined);
    await post(job, key, due);
  }

  async function post(job: CronJob, key: string, due: number): Promise<void> {
    const posted = await parts.poster.post(job, due, stop.signal);
    if (posted !== undefined) return take(job, key, due, posted);
    tellOnce(job, `the bot may not write into its channel "${job.channelId}", or that is gone`);
    over(key, due, undefined);
  }

  function take(job: CronJob, key: string, due: number, posted: Message): void {
    const { arrival, conversation } = jobArrival(job, posted, parts.me()!);
    parts.broker.accept(arrival, conversation);
    over(key, due, { conversation, message: posted.id });
  }

  function over(job: string, due: number, prompt: JobPrompt | undefined): void {
    parts.append([{ type: "job-over", job, due, ...(prompt && { prompt }) }], "broker");
  }

  function tellOnce({ schedule, sender }: CronJob, why: string): void {
    const message = `The scheduled prompt of "${sender}" at "${schedule}" is left out: ${why}`;
    if (told.has(message)) return;
    told.add(message);
    parts.log("warn", message);
  }

  return {
    start() {
      running ??= run();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

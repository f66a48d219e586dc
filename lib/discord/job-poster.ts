import type { CronJob } from "../chat/broker-config.ts";
import { jobHead, jobKey } from "../chat/cron-prompt.ts";
import type { Id, Message, Outgoing } from "./message.ts";
import { LIMITS } from "./limits.ts";
import { fileOf, nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";
import { withoutMentions } from "./safe-text.ts";
import { wasSaid } from "./said-before.ts";
import { unlessGone } from "./unless-gone.ts";

export interface JobPosterParts {
  rest: Pick<DiscordRest, "send" | "messages">;
  mark(): string;
  me(): Id | undefined;
}

/** Posts the prompts of jobs; all of it throws DiscordError when Discord cannot be asked now. */
export interface JobPoster {
  /** Undefined when there is nowhere to post it. */
  post(job: CronJob, due: number, signal: AbortSignal): Promise<Message | undefined>;
  /** What an earlier try has posted of it; `not` is the message of the time before. */
  find(
    job: CronJob,
    due: number,
    not: Id | undefined,
    signal: AbortSignal,
  ): Promise<Message | undefined>;
}

export function createJobPoster({ rest, mark, me }: JobPosterParts): JobPoster {
  return {
    post: (job, due, signal) =>
      unlessGone(() =>
        rest.send(job.threadId ?? job.channelId, {
          ...bodyOf(job),
          nonce: nonceOf(mark(), `job ${jobKey(job)} ${due}`, 0),
        }, signal)
      ),
    find: (job, due, not, signal) =>
      unlessGone(() =>
        wasSaid(rest, {
          channelId: job.threadId ?? job.channelId,
          by: me(),
          since: due,
          begin: contentOf(job).content,
          not,
        }, signal)
      ),
  };
}

function contentOf(job: CronJob): { content: string; isWhole: boolean } {
  const all = withoutMentions(jobHead(job) + job.message);
  if (all.length <= LIMITS.content) return { content: all, isWhole: true };
  const shown = all.slice(0, LIMITS.content - 1).replace(/[\ud800-\udbff]$/, "");
  return { content: `${shown}…`, isWhole: false };
}

function bodyOf(job: CronJob): Outgoing {
  const { content, isWhole } = contentOf(job);
  return isWhole ? { content } : { content, files: [fileOf("message.txt", job.message)] };
}

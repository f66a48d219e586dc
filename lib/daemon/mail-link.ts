import { uptime } from "node:os";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { createDiscordLink, DISCORD_API_URL } from "../discord/create-link.ts";
import { createFetchAttachment } from "../discord/fetch-attachment.ts";
import { createMailbox } from "../discord/create-mailbox.ts";
import { INTENT } from "../discord/intents.ts";
import { proxyFor } from "../discord/proxy.ts";
import { createMailboxLink } from "../tasks/via-mailbox.ts";
import type { WorkerLink } from "../tasks/worker-link.ts";
import { collectFiles } from "./mail-files.ts";
import type { WorkerIdentity } from "./worker-identity.ts";

export interface MailLinkParts {
  identity: WorkerIdentity;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
}

/** What a worker needs of its mailbox; its file may be of another herd. */
type Place = NonNullable<WorkerIdentity["mailbox"]>;

/** A worker's way to its pool over Discord alone: with a bot of its own, in its own thread. */
export function openMailLink(
  { identity, env, clock, log }: MailLinkParts,
): WorkerLink & AsyncDisposable {
  const place: Place | undefined = identity.mailbox;
  if (place === undefined) {
    throw new UserError(`Cannot start worker "${identity.worker}": it has no mailbox`, {
      hint: "Enrol it anew: `herd pool enrol NAME --via discord` where the pool runs",
    });
  }
  const apiUrl = env["DISCORD_API_URL"] || DISCORD_API_URL;
  const discord = createDiscordLink({
    token: botToken(place.tokenEnv, env),
    apiUrl,
    env,
    clock,
    random: Math.random,
    log,
    // The mailbox mentions the worker: it needs no right to read what others say.
    intents: INTENT.guilds | INTENT.guildMessages,
  });
  const mailbox = createMailbox({
    rest: discord.rest,
    channel: place.channel,
    me: place.bot,
    peer: place.coordinator,
    clock,
    fetchFile: createFetchAttachment({ apiUrl, proxy: proxyFor(apiUrl, env) }),
    isLive: () => discord.state().phase === "connected",
    goesOn: false,
  });
  const stopListening = discord.onEvent((event) => {
    if (event.type === "message" || event.type === "message-edited") mailbox.hear(event.message);
  });
  discord.start();
  const link = createMailboxLink({
    mailbox,
    worker: identity.worker,
    clock,
    elapsed: () => uptime() * 1000,
    filesOf: collectFiles,
    log,
  });
  return {
    exchange: link.exchange,
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      stopListening();
      await discord[Symbol.asyncDispose]();
    },
  };
}

/** Throws UserError when it is not in the environment. */
export function botToken(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const token = env[name];
  if (token === undefined || token === "") {
    throw new UserError(`Missing the token of the worker's bot: ${name} is not set`, {
      hint: `Export ${name}, or name another variable with --token-env`,
    });
  }
  return token;
}

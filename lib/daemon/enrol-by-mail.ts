import type { Clock } from "../base/clock.ts";
import { RefusedError, UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { DISCORD_API_URL } from "../discord/create-link.ts";
import { createDiscordRest } from "../discord/create-rest.ts";
import { cleanToken } from "../discord/bot-token.ts";
import { DiscordError } from "../discord/discord-error.ts";
import { findLetter, writeLetter } from "../discord/mailbox-letter.ts";
import type { Id } from "../discord/message.ts";
import { proxyFor } from "../discord/proxy.ts";
import type { DiscordRest } from "../discord/rest.ts";
import { proofOf, readEnvelope, readMailboxCode } from "../tasks/mailbox-envelope.ts";
import type { MailboxCode } from "../tasks/mailbox-envelope.ts";
import { botToken } from "./mail-link.ts";
import type { WorkerIdentity } from "./worker-identity.ts";

export interface EnrolByMailParts {
  code: string;
  /** Variable that holds the token of the worker's own bot. */
  tokenEnv: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

const PATIENCE_MS = 150_000;
const LOOK_MS = 4_000;
/** The coordinator looks by itself each minute; said again, it hears by another event. */
const AGAIN_MS = 50_000;

/** Proves itself in the mailbox that the code names, and is bound to its bot from then on. */
export async function enrolByMail(parts: EnrolByMailParts): Promise<WorkerIdentity> {
  const code = readMailboxCode(parts.code);
  if (code === undefined) {
    throw new UserError("Cannot enrol: this is no code for a worker over Discord", {
      hint: "`herd pool enrol NAME --via discord` where the pool runs prints one",
    });
  }
  const { env, clock, log } = parts;
  const apiUrl = env["DISCORD_API_URL"] || DISCORD_API_URL;
  await using rest = createDiscordRest({
    token: cleanToken(botToken(parts.tokenEnv, env)),
    baseUrl: apiUrl,
    proxy: proxyFor(apiUrl, env),
    clock,
    log,
    random: Math.random,
  });
  try {
    return await knock(rest, code, parts);
  } catch (error) {
    if (!(error instanceof DiscordError)) throw error;
    throw new UserError(error.message, {
      hint: error.kind === "unauthorized"
        ? `${parts.tokenEnv} must hold the token of the worker's own bot`
        : error.kind === "forbidden" || error.kind === "missing"
        ? "The worker's bot must be in the pool's server, and see #worker-pool and its threads, " +
          "read their history, send messages in threads and attach files"
        : "See whether this machine reaches discord.com, perhaps through HTTPS_PROXY",
      cause: error,
    });
  }
}

async function knock(
  rest: DiscordRest,
  code: MailboxCode,
  { clock, signal, tokenEnv }: EnrolByMailParts,
): Promise<WorkerIdentity> {
  const me = await rest.me(signal);
  if (me.id === code.coordinator) {
    throw new UserError(`Cannot enrol with the token in ${tokenEnv}: it is the pool's own bot`, {
      hint: "A worker over Discord needs a bot of its own (discord.com/developers/applications)",
    });
  }
  const begun = clock.now();
  let after: Id | undefined;
  let saidAt = -Infinity;
  while (clock.now() - begun < PATIENCE_MS) {
    if (clock.now() - saidAt >= AGAIN_MS) {
      const hello = { proof: proofOf(code, me.id) };
      const said = await rest.send(
        code.channel,
        writeLetter({
          line: "HELLO",
          json: { v: 1, hello },
          to: code.coordinator,
          mark: `hello${me.id}`.slice(0, 25),
        }),
        signal,
      );
      after ??= said.id;
      saidAt = clock.now();
    }
    const worker = await welcomed(rest, code, me.id, after!, signal);
    if (worker !== undefined) {
      const { channel, coordinator } = code;
      const mailbox = { channel, coordinator, bot: me.id, tokenEnv };
      return { worker, via: "discord", mailbox };
    }
    await clock.sleep(clock.now() - begun < LOOK_MS ? LOOK_MS / 4 : LOOK_MS, signal);
  }
  throw new RefusedError("Cannot enrol: nobody answered in the mailbox", {
    hint: "A code counts once, for an hour, and as long as the pool's daemon runs: make another " +
      "with `herd pool enrol NAME --via discord`; one that is enrolled already is started again by " +
      "`herd worker --name NAME`",
  });
}

/** The coordinator's answer to this bot; what anybody else says there is nothing. */
async function welcomed(
  rest: Pick<DiscordRest, "messages">,
  code: MailboxCode,
  me: Id,
  after: Id,
  signal: AbortSignal,
): Promise<string | undefined> {
  const messages = await rest.messages(code.channel, { after, limit: 100 }, signal);
  for (const message of messages) {
    if (message.author.id !== code.coordinator || message.author.webhook) continue;
    const found = findLetter(message);
    const text = found !== undefined && "text" in found ? found.text : undefined;
    const welcome = readEnvelope(text)?.welcome;
    if (welcome?.bot === me) return welcome.worker;
  }
  return undefined;
}

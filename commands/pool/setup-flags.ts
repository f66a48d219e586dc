import { resolve } from "node:path";
import type { EngineWish } from "../../lib/daemon/pool-engine.ts";
import type { PoolSetupWish } from "../../lib/daemon/pool-setup.ts";
import { readEngineFlags, wrongNames } from "../engine-flags.ts";
import { setupMistakes } from "../setup-mistakes.ts";
import { personId } from "../person-id.ts";
import type { PoolContext } from "./options.ts";

/** What the command line and imported files say of a set-up; what they do not say is undefined. */
export interface SetupFlags {
  isOnDiscord: boolean;
  /** Of the bot: the variable, and what is in it. Never print the text. */
  token: { variable: string; text: string | undefined; isImported: boolean };
  keepsSecrets: boolean;
  guildId: string | undefined;
  channels: NonNullable<PoolSetupWish["discord"]>["channels"];
  authors: readonly string[] | undefined;
  operators: readonly string[] | undefined;
  isPrivate: boolean;
  workerBots: readonly string[];
  engine: EngineWish | undefined;
  usdPerDay: number | undefined;
  /** Of imported files, the section `discord` left out. */
  parts: PoolSetupWish["parts"];
  /** Whether an imported file says what works on tasks. */
  hasEngine: boolean;
  notices: readonly string[];
}

/** Throws one UserError with every mistake. */
export async function readFlags({ values, env, cwd }: PoolContext): Promise<SetupFlags> {
  const wrong: string[] = [];
  const { importSettings } = await import("../../lib/daemon/import-settings.ts");
  const imports = values.import.map((file) => importSettings(resolve(cwd, file)));
  const told = imports.map(({ section }) => section["discord"]).find((one) => one !== undefined) as
    | { guild_id?: string; channels?: Record<"queue" | "results" | "workers", string> }
    | undefined;
  const found = imports.flatMap((one) => "token" in one && one.token !== undefined ? one.token : [])
    .at(0);
  const people = (list: readonly string[], option: string) =>
    list.flatMap((text) => {
      const id = personId(text);
      if (id === undefined) {
        wrong.push(`Cannot use --${option} "${text}": expected an id of digits`);
      }
      return id ?? [];
    });
  const [variable, ...more] = values["token-env"];
  if (more.length > 0) wrong.push("Cannot use --token-env twice: the pool has one bot");
  wrong.push(...wrongNames(variable, values));
  const authors = people(values.author, "author");
  const operators = people(values.operator, "operator");
  const workerBots = people(values.bot, "bot");
  const engine = await readEngineFlags(values, env, wrong);
  if (wrong.length > 0) throw setupMistakes("pool", wrong);
  const isImported = variable === undefined && found !== undefined;
  const name = variable ?? found?.variable ?? "DISCORD_BOT_TOKEN";
  return {
    isOnDiscord: !values["no-discord"],
    token: {
      variable: name,
      text: isImported ? found.text : env[name]?.trim() || undefined,
      isImported,
    },
    keepsSecrets: values["store-keys"],
    guildId: values.guild ?? told?.guild_id,
    channels: {
      queue: values.queue ?? told?.channels?.queue ?? "task-queue",
      results: values.results ?? told?.channels?.results ?? "results",
      workers: values.workers ?? told?.channels?.workers ?? "worker-pool",
    },
    authors: authors.length === 0 ? undefined : authors,
    operators: operators.length === 0 ? undefined : operators,
    isPrivate: values.private,
    workerBots,
    engine,
    usdPerDay: values.budget,
    parts: [
      ...imports.map(({ section: { discord: _, ...rest } }) => rest),
      ...(values.sandbox === undefined ? [] : [{ defaults: { sandbox: values.sandbox } }]),
    ],
    hasEngine: imports.some(({ section }) => section["backends"] !== undefined),
    notices: imports.flatMap(({ notices }) => notices),
  };
}

import { resolve } from "node:path";
import { UserError } from "../../lib/base/errors.ts";
import type { EngineWish } from "../../lib/daemon/pool-engine.ts";
import type { PoolSetupWish } from "../../lib/daemon/pool-setup.ts";
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

const PERSON = /^(?:<@[!&]?)?(\d{1,20})>?$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

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
      const id = PERSON.exec(text.trim())?.[1];
      if (id === undefined) {
        wrong.push(`Cannot use --${option} "${text}": expected an id of digits`);
      }
      return id ?? [];
    });
  const [variable, ...more] = values["token-env"];
  if (more.length > 0) wrong.push("Cannot use --token-env twice: the pool has one bot");
  for (const name of [variable, values["key-env"]]) {
    // Somebody may have put the secret itself there: it is not shown.
    if (name !== undefined && !VARIABLE.test(name)) {
      wrong.push("Cannot use --token-env or --key-env: expected the name of a variable");
    }
  }
  if (values.guild !== undefined && !/^\d{1,20}$/.test(values.guild)) {
    wrong.push(`Cannot use --guild "${values.guild}": expected the server's id, of digits`);
  }
  const authors = people(values.author, "author");
  const operators = people(values.operator, "operator");
  const workerBots = people(values.bot, "bot");
  const engine = values.backend === undefined ? undefined : engineOf(values, env, wrong);
  if (engine !== undefined) {
    const { wrongWith } = await import("../../lib/daemon/pool-engine.ts");
    wrong.push(...wrongWith(engine));
  } else if (values.model.length > 0 || values.program.length > 0) {
    wrong.push("Cannot use --model or --program without --backend");
  }
  if (wrong.length > 0) throw mistakes(wrong);
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

/** One error for all that is wrong or missing. */
export function mistakes(wrong: readonly string[]): UserError {
  const [first = "", ...more] = wrong;
  const hint =
    "`herd pool setup` at a terminal asks for everything; `herd help pool` lists the options";
  if (more.length === 0) return new UserError(first, { hint });
  return new UserError(`Cannot set up the pool: ${wrong.length} things are wrong or missing`, {
    hint,
    mistakes: wrong.map((message) => ({ message })),
  });
}

function engineOf(
  values: PoolContext["values"],
  env: PoolContext["env"],
  wrong: string[],
): EngineWish {
  const engine = values.backend!;
  return {
    engine,
    key: keyOf(values, env, wrong),
    baseUrl: values["base-url"]?.replace(/\/+$/, ""),
    preset: values.preset,
    program: values.program,
    models: values.model.map((text) => {
      // A model's id may hold "=", an alias does not.
      const match = /^([A-Za-z0-9][A-Za-z0-9._:-]{0,63})=(.+)$/.exec(text);
      return match === null ? { alias: undefined, id: text } : { alias: match[1]!, id: match[2]! };
    }),
    sandbox: values.sandbox,
  };
}

const USUAL_KEY: Readonly<Record<string, string>> = {
  anthropic: "ANTHROPIC_API_KEY",
  openrouter: "OPENROUTER_API_KEY",
};

function keyOf(
  values: PoolContext["values"],
  env: PoolContext["env"],
  wrong: string[],
): EngineWish["key"] {
  // A server of one's own may want none, so that nothing is taken for granted with `openai`.
  const name = values["key-env"] ?? USUAL_KEY[values.backend!];
  if (name === undefined) return undefined;
  if (!values["store-keys"]) return { env: name };
  const text = env[name]?.trim();
  if (!text) {
    wrong.push(`Cannot put the API's key into the file: the variable ${name} is not set`);
    return { env: name };
  }
  return { text };
}

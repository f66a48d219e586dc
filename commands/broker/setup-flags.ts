import type { EngineWish } from "../../lib/daemon/pool-engine.ts";
import type { BrokerSetupWish } from "../../lib/daemon/broker-setup.ts";
import { readEngineFlags, wrongNames } from "../engine-flags.ts";
import { setupMistakes } from "../setup-mistakes.ts";
import { personId } from "../person-id.ts";
import type { BrokerContext } from "./options.ts";

/** What the command line says of a set-up; what it does not say is undefined. */
export interface BrokerFlags {
  /** Of the bot: the variable, and what is in it. Never print the text. */
  token: { variable: string; text: string | undefined };
  keepsSecrets: boolean;
  guildId: string | undefined;
  channels: BrokerSetupWish["channels"] | undefined;
  people: BrokerSetupWish["people"] | undefined;
  engine: EngineWish | undefined;
  sandbox: BrokerSetupWish["sandbox"];
  usdPerDay: number | undefined;
}

/** Throws one UserError with every mistake. */
export async function readFlags({ values, env }: BrokerContext): Promise<BrokerFlags> {
  const wrong = wrongNames(values["token-env"], values);
  const engine = await readEngineFlags(values, env, wrong);
  const ids = values.user.filter((text) => text !== "all").map((text) => {
    const id = personId(text);
    if (id === undefined) {
      wrong.push(`Cannot use --user "${text}": expected an id of digits, or all`);
    }
    return id ?? "";
  });
  if (wrong.length > 0) throw setupMistakes("broker", wrong);
  const variable = values["token-env"] ?? "DISCORD_BOT_TOKEN";
  return {
    token: { variable, text: env[variable]?.trim() || undefined },
    keepsSecrets: values["store-keys"],
    guildId: values.guild,
    channels: values.channel.length === 0
      ? undefined
      : values.channel.includes("all")
      ? "all"
      : values.channel,
    people: values.user.length === 0 ? undefined : values.user.includes("all") ? "all" : ids,
    engine,
    sandbox: values.sandbox,
    usdPerDay: values.budget,
  };
}

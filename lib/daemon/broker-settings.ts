import { UserError } from "../base/errors.ts";
import type { BrokerConfig } from "../chat/broker-config.ts";
import type { Notice } from "../sweep/config.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import { lackOf, readHerdConfigFile } from "./herd-config-file.ts";
import { readHerdConfig } from "./read-herd-config.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface BrokerSettings {
  broker: BrokerConfig;
  /** Its models may be chosen in conversations. */
  models: PoolConfig["models"];
  /** In which tokens and keys are found: that of the daemon, with `.env` beside the file. */
  env: Env;
}

/** Throws UserError, with every mistake of the file; also when there is none or no broker in it. */
export function readBrokerSettings(
  env: Env,
  onNotice: (notice: Notice) => void = () => {},
): BrokerSettings {
  const settings = readBrokerSettingsIfThere(env, onNotice);
  if (settings !== undefined) return settings;
  throw new UserError(`Cannot use the broker: ${lackOf("broker", env)}`, {
    hint: "`herd broker setup` asks for what it needs; `herd broker import` makes it from OpenAB's",
  });
}

export function readBrokerSettingsIfThere(
  env: Env,
  onNotice: (notice: Notice) => void = () => {},
): BrokerSettings | undefined {
  const told: Notice[] = [];
  const file = readHerdConfigFile(env, (notice) => told.push(notice));
  // Who has no broker need not have the variables of the pool for it.
  if (file === undefined || !/^broker\s*:/m.test(file.text)) return undefined;
  const { broker, pool, notices } = readHerdConfig(file.text, file.path, file.env);
  [...told, ...notices].forEach(onNotice);
  return broker === undefined ? undefined : { broker, models: pool?.models ?? {}, env: file.env };
}

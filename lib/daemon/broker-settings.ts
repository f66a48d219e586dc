import { readFileSync, statSync } from "node:fs";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import type { BrokerConfig } from "../chat/broker-config.ts";
import type { Notice } from "../sweep/config.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import { herdConfigPath } from "./pool-settings.ts";
import { readHerdConfig } from "./read-herd-config.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface BrokerSettings {
  broker: BrokerConfig;
  /** Its models may be chosen in conversations. */
  models: PoolConfig["models"];
}

/** Throws UserError, with every mistake of the file; also when there is none or no broker in it. */
export function readBrokerSettings(
  env: Env,
  onNotice: (notice: Notice) => void = () => {},
): BrokerSettings {
  const settings = readBrokerSettingsIfThere(env, onNotice);
  if (settings !== undefined) return settings;
  throw new UserError(`Cannot use the broker: "${herdConfigPath(env)}" has no section "broker"`, {
    hint: "`herd broker setup` asks for what it needs; `herd broker import` makes it from OpenAB's",
  });
}

export function readBrokerSettingsIfThere(
  env: Env,
  onNotice: (notice: Notice) => void = () => {},
): BrokerSettings | undefined {
  const path = herdConfigPath(env);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new UserError(`Cannot read "${path}": ${(error as Error).message}`);
  }
  // Who has no broker need not have the variables of the pool for it.
  if (!/^broker\s*:/m.test(text)) return undefined;
  if ((statSync(path).mode & 0o077) !== 0) {
    onNotice({ message: `Others can read "${path}", which may hold secrets: chmod 600 it` });
  }
  const { broker, pool, notices } = readHerdConfig(text, path, env);
  notices.forEach(onNotice);
  return broker === undefined ? undefined : { broker, models: pool?.models ?? {} };
}

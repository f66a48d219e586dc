import { UserError } from "../base/errors.ts";
import type { Notice } from "../sweep/config.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import { lackOf, readHerdConfigFile } from "./herd-config-file.ts";
import { readHerdConfig } from "./read-herd-config.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Throws UserError, with every mistake of the file; also when there is none or no pool in it. */
export function readPoolConfig(
  env: Env,
  onNotice: (notice: Notice) => void = () => {},
): PoolConfig {
  const config = readPoolConfigIfThere(env, onNotice);
  if (config !== undefined) return config;
  throw new UserError(`Cannot use the pool: ${lackOf("pool", env)}`, {
    hint: "`herd pool setup` asks for what is needed and writes it",
  });
}

export function readPoolConfigIfThere(
  env: Env,
  onNotice: (notice: Notice) => void = () => {},
): PoolConfig | undefined {
  const file = readHerdConfigFile(env, onNotice);
  if (file === undefined) return undefined;
  const { pool, notices } = readHerdConfig(file.text, file.path, file.env, ["pool"]);
  notices.forEach(onNotice);
  return pool;
}

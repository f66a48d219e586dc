import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import type { Notice } from "../sweep/config.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import { readHerdConfig } from "./read-herd-config.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where herd's own configuration is: `HERD_CONFIG`, else below `XDG_CONFIG_HOME` or `~/.config`. */
export function herdConfigPath(env: Env): string {
  const told = env["HERD_CONFIG"];
  if (told?.startsWith("/")) return told;
  const xdg = env["XDG_CONFIG_HOME"];
  if (xdg?.startsWith("/")) return join(xdg, "herd/config.yaml");
  const home = env["HOME"];
  if (home?.startsWith("/")) return join(home, ".config/herd/config.yaml");
  throw new UserError('Cannot tell where herd\'s configuration is: "HOME" is not set', {
    hint: "Set HOME, XDG_CONFIG_HOME or HERD_CONFIG to an absolute path",
  });
}

/** Throws UserError, with every mistake of the file; also when there is none or no pool in it. */
export function readPoolConfig(
  env: Env,
  onNotice: (notice: Notice) => void = () => {},
): PoolConfig {
  const config = readPoolConfigIfThere(env, onNotice);
  if (config !== undefined) return config;
  throw new UserError(`Cannot use the pool: "${herdConfigPath(env)}" has no section "pool"`, {
    hint: "`herd pool setup` asks for what is needed and writes it",
  });
}

export function readPoolConfigIfThere(
  env: Env,
  onNotice: (notice: Notice) => void = () => {},
): PoolConfig | undefined {
  const path = herdConfigPath(env);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new UserError(`Cannot read "${path}": ${(error as Error).message}`);
  }
  if ((statSync(path).mode & 0o077) !== 0) {
    onNotice({ message: `Others can read "${path}", which may hold secrets: chmod 600 it` });
  }
  const { pool, notices } = readHerdConfig(text, path, env, ["pool"]);
  notices.forEach(onNotice);
  return pool;
}

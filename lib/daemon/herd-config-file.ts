import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { readDotenv } from "../store/dotenv.ts";
import type { Notice } from "../sweep/config.ts";

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

export interface HerdConfigFile {
  path: string;
  text: string;
  /** The environment, and beneath it what `.env` beside the file sets. */
  env: Env;
}

/** Undefined when there is none; throws UserError when it cannot be read. */
export function readHerdConfigFile(
  env: Env,
  onNotice: (notice: Notice) => void,
): HerdConfigFile | undefined {
  const path = herdConfigPath(env);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new UserError(`Cannot read "${path}": ${(error as Error).message}`);
  }
  const { mode, uid } = statSync(path);
  // One that is mounted by somebody else, as in a container, is theirs to guard.
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) {
    onNotice({ message: `Others can read "${path}", which may hold secrets: chmod 600 it` });
  }
  return { path, text, env: withDotenv(env, onNotice) };
}

/** The environment, and beneath it what `.env` sets where the configuration is, or would be. */
export function withDotenv(env: Env, onNotice: (notice: Notice) => void = () => {}): Env {
  const { values, notices } = readDotenv(dotenvOf(herdConfigPath(env)));
  notices.forEach(onNotice);
  return { ...values, ...env };
}

/** Why there is nothing to read. */
export function lackOf(section: string, env: Env): string {
  const path = herdConfigPath(env);
  return existsSync(path) ? `"${path}" has no section "${section}"` : `there is no "${path}"`;
}

/** Another one when the file, or `.env` beside it, has changed. */
export function herdConfigStamp(env: Env): string {
  const path = herdConfigPath(env);
  return [path, dotenvOf(path)].map(fileStamp).join(" ");
}

function dotenvOf(path: string): string {
  return join(dirname(path), ".env");
}

function fileStamp(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return codeOf(error) ?? "unreadable";
  }
}

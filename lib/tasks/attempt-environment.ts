import { join } from "node:path";
import type { Sandbox } from "./sandbox.ts";

/** A value of its own for each attempt: what carries it belongs to the attempt, wherever it went. */
export const MARK = "HERD_ATTEMPT";
/** `TASK:EPOCH`, for the names of jobs, branches and the like. */
export const NAME = "HERD_TASK";

/** What every program may know of the worker's environment. Everything else stays outside. */
const ALLOWED = [
  "PATH",
  "LANG",
  "LANGUAGE",
  "TZ",
  "USER",
  "LOGNAME",
  "SHELL",
  "TERM",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "MODULEPATH",
  "MODULESHOME",
  "LMOD_CMD",
] as const;
const ALLOWED_BEGINNING = /^LC_[A-Z]+$/;

/** Not even when somebody lists it: these load code into every program, or are herd's own keys. */
const NEVER = /^(LD_(PRELOAD|AUDIT)|BUN_OPTIONS|BUN_BE_BUN|BUN_INSPECT\w*|DISCORD_BOT_TOKEN)$/;

/** The environment of the attempt's own process. */
export function attemptEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept = allowed(env);
  for (const name of ["HOME", "TMPDIR", "XDG_STATE_HOME"]) {
    if (env[name] !== undefined) kept[name] = env[name];
  }
  return kept;
}

/**
 * The environment of what an agent starts (`Work.env`): a list of allowed names of the worker's,
 * and what the operator adds. A confined agent gets a home of its own, for it cannot see the account's.
 */
export function agentEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  parts: { sandbox: Sandbox; folder: string; add?: Readonly<Record<string, string>> },
): Record<string, string> {
  const kept = allowed(env);
  if (parts.sandbox.level === "none") {
    for (const name of ["HOME", "TMPDIR"]) if (env[name] !== undefined) kept[name] = env[name];
  } else {
    kept["HOME"] = join(parts.folder, ".home");
  }
  return withoutNever({ ...kept, ...parts.add });
}

/** Drops what no attempt may have, whoever asked for it, and marks what is left. */
export function markedEnvironment(
  env: Readonly<Record<string, string>>,
  marks: { mark: string; name: string },
): Record<string, string> {
  return { ...withoutNever(env), [MARK]: marks.mark, [NAME]: marks.name };
}

function allowed(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const listed = (ALLOWED as readonly string[]).includes(name) || ALLOWED_BEGINNING.test(name);
    if (value !== undefined && listed) kept[name] = value;
  }
  return kept;
}

function withoutNever(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !NEVER.test(name)));
}

import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { type ConfigFile, type ConfigValues, readSshConfig } from "./read-ssh-config.ts";
import { type HostName, readHostName } from "./host-name.ts";
import { SshError } from "./ssh-error.ts";
import { readSeconds } from "./config-seconds.ts";

/** Where a name leads and how one gets in there, as ssh would do it. */
export interface ResolvedHost {
  /** As the user typed it, without user and port. */
  alias: string;
  /** What is connected to: a name or an address. */
  hostName: string;
  user: string;
  port: number;
  /** Absolute paths, in the order in which they are tried. */
  identityFiles: readonly string[];
  /** False when they are only the usual ones; a missing file is then no news. */
  identitiesNamed: boolean;
  identitiesOnly: boolean;
  /** Socket of the agent; undefined without one. */
  agentSocket: string | undefined;
  /** Hosts on the way, the first one first. */
  jumps: readonly HostName[];
  userKnownHosts: readonly string[];
  globalKnownHosts: readonly string[];
  /** The name that keys are kept under in place of the host's. */
  hostKeyAlias: string | undefined;
  strictHostKeys: "yes" | "no" | "ask" | "accept-new";
  hashKnownHosts: boolean;
  /** Milliseconds; 0 for none. */
  aliveIntervalMs: number;
  aliveCountMax: number;
  /** Milliseconds; undefined for the system's own. */
  connectTimeoutMs: number | undefined;
  /** In the order of preference, only those that herd knows. */
  methods: readonly AuthMethod[];
  passwordPrompts: number;
  batchMode: boolean;
  family: 4 | 6 | undefined;
  /** What the files want and herd does not do, for people. */
  notices: readonly string[];
}

export type AuthMethod = "publickey" | "keyboard-interactive" | "password";

export interface ResolveParts {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  user: string;
  /** Instead of the usual two. */
  configFiles?: readonly string[] | undefined;
}

const USUAL_IDENTITIES = ["id_rsa", "id_ecdsa", "id_ed25519", "id_dsa"];
const USUAL_METHODS: readonly AuthMethod[] = ["publickey", "keyboard-interactive", "password"];

/** What ssh would do with this name. Rejects, as SshError, a config that cannot be read or followed. */
export function resolveHost(name: string, parts: ResolveParts): ResolvedHost {
  const asked = readHostName(name);
  const values = readSshConfig({
    host: asked.host,
    user: asked.user,
    port: asked.port,
    localUser: parts.user,
    home: parts.home,
    files: configFiles(parts),
  });
  const hostName = hostNameOf(values, asked.host);
  const user = wordOf(values, "user") ?? parts.user;
  const port = portOf(values);
  const tokens: Tokens = { alias: asked.host, hostName, user, port, parts };
  refuseProxyCommand(values, asked.host);
  const named = values.all("identityfile").map(({ words }) => words[0]!);
  const files = named.length > 0 ? named : USUAL_IDENTITIES.map((one) => `~/.ssh/${one}`);
  return {
    alias: asked.host,
    hostName,
    user,
    port,
    identityFiles: files.filter((one) => one.toLowerCase() !== "none")
      .map((one) => expandPath(one, tokens)),
    identitiesNamed: named.length > 0,
    identitiesOnly: isYes(values, "identitiesonly", false),
    agentSocket: agentOf(values, tokens),
    jumps: jumpsOf(values),
    userKnownHosts: pathsOf(values, "userknownhostsfile", tokens) ??
      ["known_hosts", "known_hosts2"].map((one) => join(parts.home, ".ssh", one)),
    globalKnownHosts: pathsOf(values, "globalknownhostsfile", tokens) ??
      ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
    hostKeyAlias: wordOf(values, "hostkeyalias")?.toLowerCase(),
    strictHostKeys: strictOf(values),
    hashKnownHosts: isYes(values, "hashknownhosts", false),
    aliveIntervalMs: 1000 * (secondsOf(values, "serveraliveinterval") ?? 0),
    aliveCountMax: numberOf(values, "serveralivecountmax") ?? 3,
    connectTimeoutMs: timeoutOf(values),
    methods: methodsOf(values),
    passwordPrompts: numberOf(values, "numberofpasswordprompts") ?? 3,
    batchMode: isYes(values, "batchmode", false),
    family: familyOf(values),
    notices: noticesOf(values),
  };
}

function configFiles({ home, configFiles }: ResolveParts): ConfigFile[] {
  const ssh = join(home, ".ssh");
  if (configFiles !== undefined) {
    return configFiles.map((path) => ({ path, folder: ssh, guarded: true }));
  }
  return [
    { path: join(ssh, "config"), folder: ssh, guarded: true },
    { path: "/etc/ssh/ssh_config", folder: "/etc/ssh", guarded: false },
  ];
}

interface Tokens {
  alias: string;
  hostName: string;
  user: string;
  port: number;
  parts: ResolveParts;
}

function hostNameOf(values: ConfigValues, host: string): string {
  const told = wordOf(values, "hostname");
  const name = told === undefined
    ? host
    : told.replace(/%(.)/g, (all, one) => one === "h" ? host : one === "%" ? "%" : all);
  return /^[0-9a-f:]+(%|$)/i.test(name) && name.includes(":") ? name : name.toLowerCase();
}

function expandPath(path: string, tokens: Tokens): string {
  const { alias, hostName, user, port, parts } = tokens;
  const local = hostname();
  const known: Record<string, string> = {
    "%": "%",
    d: parts.home,
    h: hostName,
    n: alias,
    k: alias,
    p: `${port}`,
    r: user,
    u: parts.user,
    i: `${process.getuid?.() ?? 0}`,
    l: local,
    L: local.split(".")[0]!,
    j: "",
    C: createHash("sha1").update(`${local}${hostName}${port}${user}`).digest("hex"),
  };
  const text = path
    .replace(/^~(?=\/|$)/, parts.home)
    .replace(/\$\{([^}]*)\}/g, (_, name) => {
      const value = parts.env[name];
      if (value !== undefined) return value;
      throw new SshError("config", alias, `Cannot expand "${path}": "${name}" is not set`);
    })
    .replace(/%(.)/g, (all, one) => known[one] ?? all);
  return text.startsWith("/") ? text : join(process.cwd(), text);
}

function agentOf(values: ConfigValues, tokens: Tokens): string | undefined {
  const told = wordOf(values, "identityagent");
  const env = tokens.parts.env;
  if (told === undefined || told === "SSH_AUTH_SOCK") return env["SSH_AUTH_SOCK"] || undefined;
  if (told.toLowerCase() === "none") return undefined;
  const variable = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(told)?.[1];
  return variable === undefined ? expandPath(told, tokens) : env[variable] || undefined;
}

function jumpsOf(values: ConfigValues): HostName[] {
  const told = wordOf(values, "proxyjump");
  if (told === undefined || told.toLowerCase() === "none") return [];
  return told.split(",").map((one) => readHostName(one.trim()));
}

function refuseProxyCommand(values: ConfigValues, host: string): void {
  const told = values.get("proxycommand");
  if (told === undefined || told.words[0]!.toLowerCase() === "none") return;
  throw new SshError(
    "config",
    host,
    `Cannot connect to "${host}": its ProxyCommand (${told.place}) is not supported`,
    { hint: "Say the host in between with ProxyJump; it does the same without a program" },
  );
}

function strictOf(values: ConfigValues): ResolvedHost["strictHostKeys"] {
  const told = wordOf(values, "stricthostkeychecking")?.toLowerCase() ?? "ask";
  if (told === "accept-new") return told;
  if (told === "yes" || told === "true") return "yes";
  return told === "no" || told === "off" || told === "false" ? "no" : "ask";
}

function methodsOf(values: ConfigValues): AuthMethod[] {
  const told = wordOf(values, "preferredauthentications")?.split(",");
  const wanted = told === undefined
    ? USUAL_METHODS
    : told.flatMap((one) => USUAL_METHODS.filter((known) => known === one.trim()));
  const allowed: Record<AuthMethod, boolean> = {
    publickey: isYes(values, "pubkeyauthentication", true),
    "keyboard-interactive": isYes(values, "kbdinteractiveauthentication", true) &&
      isYes(values, "challengeresponseauthentication", true),
    password: isYes(values, "passwordauthentication", true),
  };
  return wanted.filter((one) => allowed[one]);
}

function noticesOf(values: ConfigValues): string[] {
  const notices = [...values.notices];
  const say = (keyword: string, text: (value: string) => string) => {
    const told = values.get(keyword);
    const value = told?.words.join(" ");
    if (value !== undefined && !/^(no|none|false)$/i.test(value)) notices.push(text(value));
  };
  say("controlpath", () => "ControlPath is not used: herd keeps a connection of its own");
  say("certificatefile", () => "CertificateFile is not used: certificates are not supported");
  say("canonicalizehostname", () => "CanonicalizeHostname is not supported");
  return notices;
}

function familyOf(values: ConfigValues): 4 | 6 | undefined {
  const told = wordOf(values, "addressfamily")?.toLowerCase();
  return told === "inet" ? 4 : told === "inet6" ? 6 : undefined;
}

function pathsOf(values: ConfigValues, keyword: string, tokens: Tokens): string[] | undefined {
  const told = values.get(keyword)?.words;
  if (told === undefined) return undefined;
  return told.filter((one) => one.toLowerCase() !== "none").map((one) => expandPath(one, tokens));
}

function wordOf(values: ConfigValues, keyword: string): string | undefined {
  return values.get(keyword)?.words[0];
}

function isYes(values: ConfigValues, keyword: string, usual: boolean): boolean {
  const told = wordOf(values, keyword)?.toLowerCase();
  if (told === undefined) return usual;
  return told === "yes" || told === "true" || (usual && told !== "no" && told !== "false");
}

function portOf(values: ConfigValues): number {
  const told = numberOf(values, "port") ?? 22;
  if (told >= 1 && told <= 65535) return told;
  throw unusable(values, "port", "a number from 1 to 65535");
}

function timeoutOf(values: ConfigValues): number | undefined {
  const told = wordOf(values, "connecttimeout");
  if (told === undefined || told.toLowerCase() === "none") return undefined;
  const seconds = secondsOf(values, "connecttimeout");
  return seconds === undefined || seconds === 0 ? undefined : seconds * 1000;
}

function numberOf(values: ConfigValues, keyword: string): number | undefined {
  const told = wordOf(values, keyword);
  if (told === undefined) return undefined;
  if (/^\d{1,9}$/.test(told)) return Number(told);
  throw unusable(values, keyword, "a number");
}

function secondsOf(values: ConfigValues, keyword: string): number | undefined {
  const told = wordOf(values, keyword);
  if (told === undefined) return undefined;
  const seconds = readSeconds(told);
  if (seconds !== undefined) return seconds;
  throw unusable(values, keyword, "a time such as 30 or 1m");
}

function unusable(values: ConfigValues, keyword: string, wanted: string): SshError {
  const { words, place } = values.get(keyword)!;
  return new SshError(
    "config",
    place,
    `Cannot read ${place}: "${keyword}" is "${words[0]}", it must be ${wanted}`,
  );
}

import { Buffer } from "node:buffer";

/** A proxy that outgoing connections have to go through. */
export interface Proxy {
  /** For people and logs: without user and password. */
  shown: string;
  /** With everything. A secret when it holds a password. */
  url: string;
  secure: boolean;
  host: string;
  port: number;
  /** Value of the Proxy-Authorization header. */
  authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY (lower case first, as curl has it) ask for
 * on the way to a URL; undefined when there is none or none that is understood (SOCKS).
 */
export function proxyFor(target: string, env: Environment): Proxy | undefined {
  if (!URL.canParse(target)) return undefined;
  const { protocol, hostname, port } = new URL(target);
  const secure = protocol === "https:" || protocol === "wss:";
  const set = valueOf(env, secure ? "https_proxy" : "http_proxy");
  const host = hostname.replace(/^\[|\]$/g, "");
  if (set === undefined || isExempt(host, port || (secure ? "443" : "80"), env)) return undefined;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(set) ? set : `http://${set}`;
  return URL.canParse(url) ? describe(new URL(url)) : undefined;
}

function describe(url: URL): Proxy | undefined {
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  const secure = url.protocol === "https:";
  const user = decoded(url.username);
  const said = url.username === "" && url.password === ""
    ? undefined
    : `Basic ${Buffer.from(`${user}:${decoded(url.password)}`).toString("base64")}`;
  return {
    shown: `${url.protocol}//${url.host}`,
    url: url.href,
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || (secure ? 443 : 80)),
    authorization: said,
  };
}

/** NO_PROXY: `*`, or names with everything below them, each with a port or without. */
function isExempt(host: string, port: string, env: Environment): boolean {
  const entries = (valueOf(env, "no_proxy") ?? "").toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => {
    if (entry === "") return false;
    if (entry === "*") return true;
    const [, name = "", only] = entry.match(/^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/) ?? [, entry];
    if (only !== undefined && only !== port) return false;
    const bare = name.replace(/^\[|\]$/g, "").replace(/^\*?\./, "");
    return host === bare || host.endsWith(`.${bare}`);
  });
}

function valueOf(env: Environment, word: string): string | undefined {
  return env[word] || env[word.toUpperCase()] || undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

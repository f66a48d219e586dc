import { VARIABLE } from "./expand-variables.ts";
import { wrong } from "./fields.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const ADDRESS = 'an address such as "https://example.org/v1"';

/**
 * An address of http or https, as written. A name, a password or a query in it is never
 * shown in a message. With `variables`, what `${NAME}` stands for is not known yet, so
 * an address that begins with one is taken as it is. `secret` is what travels along.
 */
export function readWebAddress(
  node: Node,
  report: Report,
  secret: string,
  options: { variables?: boolean } = {},
): string | undefined {
  const source = node.kind === "scalar" ? node.text : "";
  if (/\/\/[^/?#\s]*@/.test(source)) {
    return report.mistake(
      node,
      `Cannot read ${node.path}: found a name or a password in the address, expected neither`,
      "Keep secrets in the environment or in .env",
    );
  }
  if (options.variables === true && /^\$\{\w+\}\S*$/.test(source)) return source;
  const filled = options.variables === true ? source.replace(VARIABLE, "1") : source;
  const url = /[\s\p{Cc}]/u.test(source) ? undefined : urlOf(filled);
  if (url === undefined) {
    return /[?@]/.test(source)
      ? report.mistake(node, `Cannot read ${node.path}: expected ${ADDRESS}`)
      : wrong(node, report, ADDRESS);
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    report.notice(node, `Took ${node.path} over http: ${secret} can be read on the way`);
  }
  return source;
}

function urlOf(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && url.hostname !== "" ? url : undefined;
  } catch {
    return undefined;
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

import { shellQuote } from "../lib/base/text.ts";
import type { Address } from "../lib/control/exchange.ts";

export interface CurlRequest {
  method: string;
  path: string;
  body: string | undefined;
}

/**
 * The same request for curl. The token goes to it through a pipe: in its arguments
 * everybody on the machine could read it.
 */
export function curlLine(
  { address, tokenPath }: { address: Address; tokenPath: string },
  { method, path, body }: CurlRequest,
): string {
  const where = "port" in address
    ? [shellQuote(`http://127.0.0.1:${address.port}${path}`)]
    : ["--unix-socket", shellQuote(address.socketPath), shellQuote(`http://localhost${path}`)];
  const sent = body === undefined
    ? []
    : ["-H", shellQuote("Content-Type: application/json"), "-d", shellQuote(body)];
  const verb = method === (body === undefined ? "GET" : "POST") ? [] : ["-X", method];
  const header = `printf 'header = "Authorization: Bearer %s"\\n' "$(cat ${
    shellQuote(tokenPath)
  })"`;
  return `${header} | curl -sSNK - ${[...verb, ...sent, ...where].join(" ")}`;
}

import { hostname, userInfo } from "node:os";
import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { visible } from "../../lib/base/width.ts";
import { createControlClient } from "../../lib/control/client.ts";
import { noDaemon } from "../../lib/control/exchange.ts";
import { findDaemon } from "../../lib/control/find-daemon.ts";
import type { HostStatus } from "../../lib/control/station.ts";
import { userPlace } from "../../lib/control/user-place.ts";
import type { SshQuestion } from "../../lib/ssh/asker.ts";
import type { Context } from "../command.ts";
import { terminalAsker } from "../terminal-asker.ts";

/** A person types for two minutes at the most, and a server may be slow beside. Milliseconds. */
const TIMEOUT_MS = 5 * 60_000;

/** Asks here what the daemon's login wants to know, until it is in or refused. */
export async function logIn(context: Context, name: string): Promise<number> {
  const { out, env, json, signal } = context;
  const asker = terminalAsker();
  if (asker === undefined) {
    throw new UserError(`Cannot log in at "${name}": there is no terminal to ask at`, {
      hint: "Programs answer with POST /v1/hosts/NAME/answer; see docs/api.md",
    });
  }
  const place = userPlace(env, userInfo().uid, hostname());
  const daemon = await findDaemon(place, { signal });
  if (daemon === undefined) throw noDaemon(place.folder);
  const { address, token } = daemon;
  const client = createControlClient({ address, token, way: "cli" });
  const path = `/v1/hosts/${encodeURIComponent(name)}/answer`;
  const answer = (body: { question?: string; answer?: string | null }) =>
    client.request<HostStatus>("POST", path, body, { timeoutMs: TIMEOUT_MS, signal });

  let status = await answer({});
  while (status.state === "connecting" && status.question !== null) {
    const { id, kind, title, prompt, echo, attempt } = status.question;
    const question = {
      host: name,
      kind: kind as SshQuestion["kind"],
      title,
      prompt,
      echo,
      attempt,
    };
    status = await answer({ question: id, answer: await asker(question, signal) ?? null });
  }
  if (json) out.json(status);
  else if (status.state === "connected") out.print(`The daemon is logged in at ${visible(name)}`);
  else {
    out.print(`The daemon is not logged in at ${visible(name)}: ${visible(status.detail ?? "")}`);
    if (status.hint !== null) out.print(`  ${out.paint.dim("→")} ${visible(status.hint)}`);
  }
  return status.state === "connected" ? EXIT.done : EXIT.negative;
}

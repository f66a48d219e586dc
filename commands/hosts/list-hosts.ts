import { hostname, userInfo } from "node:os";
import { basename } from "node:path";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { shellQuote } from "../../lib/base/text.ts";
import { visible } from "../../lib/base/width.ts";
import { createControlClient } from "../../lib/control/client.ts";
import { findDaemon } from "../../lib/control/find-daemon.ts";
import type { HostStatus } from "../../lib/control/station.ts";
import { userPlace } from "../../lib/control/user-place.ts";
import { totalsOf, trialViews } from "../../lib/sweep/view.ts";
import { spanText } from "../../lib/words/duration-text.ts";
import type { Context } from "../command.ts";
import { openWorkspace, workspacePath } from "../open.ts";
import { terminalAsker } from "../terminal-asker.ts";

/** Hosts of the daemon's sweeps, and of these workspaces. */
export async function listHosts(context: Context, workspaces: readonly string[]): Promise<number> {
  const { out, json, clock } = context;
  const held = await hostsOfDaemon(context);
  const known = new Set(held.flatMap(({ sweeps }) => sweeps.map(({ path }) => path)));
  const others = await hostsOfWorkspaces(context, workspaces, known);
  const hosts = [...held, ...others];
  if (json) out.json({ hosts });
  else if (hosts.length === 0) out.print("No sweep runs on another computer");
  else for (const host of hosts) hostLines(host, out.paint, clock.now()).forEach(out.print);
  const isLost = ({ state }: HostStatus) => state === "refused" || state === "waiting";
  return hosts.some(isLost) ? EXIT.negative : EXIT.done;
}

async function hostsOfDaemon({ env, signal }: Context): Promise<readonly HostStatus[]> {
  const daemon = await findDaemon(userPlace(env, userInfo().uid, hostname()), { signal });
  if (daemon === undefined) return [];
  const { address, token } = daemon;
  const client = createControlClient({ address, token, way: "cli" });
  const path = "/v1/hosts";
  return (await client.request<{ items: HostStatus[] }>("GET", path, undefined, { signal })).items;
}

/** Those that no daemon holds are looked at from here. */
async function hostsOfWorkspaces(
  context: Context,
  workspaces: readonly string[],
  known: ReadonlySet<string>,
): Promise<readonly HostStatus[]> {
  const { cwd, env, clock, log, signal } = context;
  const { hostOfWorkspace } = await import("../../lib/daemon/host-of-workspace.ts");
  const { createHosts } = await import("../../lib/daemon/hosts.ts");
  const { hostStanding, tryHost } = await import("../../lib/daemon/host-standing.ts");
  const sweepsOn = new Map<string, HostStatus["sweeps"]>();
  for (const workspace of new Set(workspaces)) {
    const host = hostOfWorkspace(workspacePath(cwd, workspace));
    const outside = host === undefined ? undefined : await openWorkspace(context, workspace);
    if (host === undefined || outside === undefined || known.has(outside.paths.root)) continue;
    const totals = totalsOf(trialViews(outside.state()));
    const { root } = outside.paths;
    const id = basename(root);
    sweepsOn.set(host, [...sweepsOn.get(host) ?? [], { id, path: root, totals }]);
  }
  await using hosts = createHosts({ env, clock, log, asker: terminalAsker() });
  const found: HostStatus[] = [];
  for (const [name, sweeps] of sweepsOn) {
    const host = hosts.reach(name);
    await tryHost(host, signal);
    found.push(await hostStanding(host, { question: undefined, sweeps, clock }));
  }
  return found;
}

function hostLines(host: HostStatus, paint: Context["out"]["paint"], now: number): string[] {
  const { name, state, since, user, address, port, jumps, method, latency_ms, question } = host;
  const colour = state === "connected"
    ? paint.green
    : state === "refused" || state === "waiting"
    ? paint.red
    : paint.dim;
  const span = since === null ? "" : ` for ${spanText(now - since)}`;
  const answer = latency_ms === null ? "" : `, answers in ${latency_ms} ms`;
  const lines = [`${paint.bold(visible(name))}  ${colour(state)}${span}${answer}`];
  if (address !== null) {
    const via = jumps.length === 0 ? "" : `, by way of ${jumps.join(", ")}`;
    lines.push(`  ${visible(`${user}@${address}:${port}${via}; ${method}`)}`);
  }
  if (host.detail !== null) lines.push(`  ${visible(host.detail)}`);
  if (question !== null) {
    lines.push(`  ${paint.yellow(`It asks "${visible(question.prompt)}"`)}`);
    lines.push(`  ${paint.dim("→")} herd hosts login ${shellQuote(name)}`);
  } else if (host.hint !== null) lines.push(`  ${paint.dim("→")} ${visible(host.hint)}`);
  for (const { id, path, totals } of host.sweeps) {
    const counts = Object.entries(totals).filter(([status, n]) => n > 0 && status !== "total")
      .map(([status, n]) => `${n} ${status}`);
    lines.push(
      `  ${visible(id)}: ${counts.join(", ") || "nothing yet"}  ${paint.dim(visible(path))}`,
    );
  }
  return lines;
}

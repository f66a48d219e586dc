import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { DISCORD_API_URL } from "../discord/create-link.ts";
import { createFetchAttachment } from "../discord/fetch-attachment.ts";
import { createPoolChannels, type PoolChannels } from "../discord/pool-channels.ts";
import { poolDefinitions } from "../discord/pool-commands.ts";
import { proxyFor } from "../discord/proxy.ts";
import { openPoolMemory } from "../store/pool-memory.ts";
import { costReport, costTable } from "../tasks/cost-report.ts";
import { workerStatus } from "../tasks/worker-status.ts";
import type { OpenPool } from "./open-pool.ts";
import { appendAudit } from "./pool-audit.ts";
import { createPoolMail } from "./pool-mail.ts";
import type { PoolPlace } from "./pool-place.ts";
import type { Wire } from "./wires.ts";

export interface PoolPartyParts {
  pool: Pick<OpenPool, "desk" | "mail" | "trouble">;
  place: PoolPlace;
  guildId: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  random(): number;
  /** What conversations have used, for the same table's end; "" for nothing. */
  usage(by: "day" | "model", days: number): string;
}

/** The pool's channels and its mailboxes on a connection; disposing takes them from it. */
export interface PoolParty extends AsyncDisposable {
  readonly channels: PoolChannels;
}

export function joinPool(wire: Wire, parts: PoolPartyParts): PoolParty {
  const { place, clock, log, env, pool: { desk, mail: mailDesk, trouble } } = parts;
  let ofChannels: string | undefined;
  const tellTrouble = () => {
    const now = wire.link.state();
    const lost = now.phase === "waiting" || now.phase === "refused"
      ? `Discord is not reached: ${now.detail}`
      : undefined;
    trouble("Discord", lost ?? ofChannels);
  };
  const stopTelling = wire.link.onState(tellTrouble);
  const write = (level: "info" | "warn", message: string, facts = {}) =>
    log.write(level, message, { part: "pool", ...facts });
  const channels = createPoolChannels({
    desk,
    link: wire.link,
    memory: openPoolMemory({
      path: place.discord,
      onProblem: (message, error) => write("warn", message, { error: `${error}` }),
    }),
    clock,
    random: parts.random,
    workerStatus: (name) =>
      workerStatus(desk.state(), name, desk.sightings().get(name), clock.now()),
    costText(by, days) {
      const from = new Date(clock.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10);
      const own = costTable(costReport(desk.state().spent, { by, since: from }), 80).join("\n");
      const conversations = by === "worker" ? "" : parts.usage(by, days);
      return conversations === "" ? own : `${own}\n\n${conversations}`;
    },
    audit: (event, fields) => appendAudit(place.audit, clock.now(), event, fields),
    log: write,
    onTrouble(why) {
      if (why !== undefined) write("warn", `The pool's channels: ${why}`);
      ofChannels = why === undefined ? undefined : `The pool's channels: ${why}`;
      tellTrouble();
    },
  });
  const apiUrl = env["DISCORD_API_URL"] || DISCORD_API_URL;
  const mail = createPoolMail({
    desk,
    mail: mailDesk,
    link: wire.link,
    fetchFile: createFetchAttachment({ apiUrl, proxy: proxyFor(apiUrl, env) }),
    workersChannel: () => channels.channels().workers,
    folderOf: (task, epoch) => join(place.tasks, task, `${epoch}`),
    clock,
    log,
  });
  channels.start();
  mail.start();
  const leave = wire.join({
    rank: "pool",
    guildId: parts.guildId,
    commands: () => poolDefinitions(desk.config()),
    onEvent(event) {
      channels.handle(event);
      mail.handle(event);
    },
    onInteraction: channels.handlePoolInteraction,
  });
  return {
    channels,
    async [Symbol.asyncDispose]() {
      stopTelling();
      await mail[Symbol.asyncDispose]();
      await channels[Symbol.asyncDispose]();
      await leave();
    },
  };
}

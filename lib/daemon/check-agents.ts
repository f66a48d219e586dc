import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Finding } from "../base/finding.ts";
import type { BotConfig, BrokerConfig } from "../chat/broker-config.ts";
import { checkBackends } from "./pool-checkup.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Whether agents can begin here: they run where herd does, so what they lack here they lack. */
export function checkAgents({ agents, bots }: BrokerConfig, env: Env): Finding[] {
  const programs = checkBackends({ backends: agents }, env).map(asAgents);
  const unset = Object.entries(agents).flatMap(([name, { env: passed }]) =>
    (Array.isArray(passed) ? passed : []).filter((one) => !env[`${one}`]).map((one): Finding => ({
      area: "Agents",
      mark: "doubt",
      message: `Agent "${name}" is to be given ${one}, which is not set`,
      mend: "Set it where herd runs, or take it out of the agent's env",
    }))
  );
  return [...programs, ...unset, ...bots.flatMap(checkFolders)];
}

/** What is a doubt about workers elsewhere is certain here. */
function asAgents({ mark, message, mend, ...rest }: Finding): Finding {
  return {
    ...rest,
    mark: mark === "doubt" ? "bad" : mark,
    message: message.replace(/backend/gi, (word) => word.startsWith("B") ? "Agent" : "agent"),
    ...(mend === undefined
      ? {}
      : { mend: mend.replace(/where workers (run|are started)/, "where herd runs") }),
  };
}

function checkFolders({ name, workspace, projects }: BotConfig): Finding[] {
  const area = "Folders";
  const found: Finding[] = [];
  for (const [channel, { folder }] of Object.entries(projects)) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) continue;
    const message =
      `The project of channel ${channel} of the bot "${name}" is not there: "${folder}"`;
    found.push({ area, mark: "bad", message, mend: "Make the folder, or correct its path" });
  }
  if (workspace.folder !== undefined && !canBeMade(workspace.folder)) {
    const message = `The bot "${name}" cannot write in its working_dir: "${workspace.folder}"`;
    found.push({
      area,
      mark: "bad",
      message,
      mend: "Give it another, or the right to write there",
    });
  }
  return found;
}

function canBeMade(folder: string): boolean {
  const nearest = nearestThere(folder);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return statSync(nearest).isDirectory();
  } catch {
    return false;
  }
}

function nearestThere(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestThere(dirname(path));
}

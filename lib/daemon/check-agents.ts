import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Finding } from "../base/finding.ts";
import type { BotConfig, BrokerConfig } from "../chat/broker-config.ts";
import { checkBackends } from "./pool-checkup.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Whether agents can begin here: they run where herd does, so what they lack here they lack. */
export function checkAgents({ agents, bots }: BrokerConfig, env: Env): Finding[] {
  const found = Object.entries(agents).flatMap(([name, agent]) => {
    const unset = checkPassed(name, agent["env"], env);
    const own = checkBackends({ backends: { [name]: agent } }, env).map(asAgents);
    const isBad = unset.some(({ mark }) => mark === "bad");
    return [...own.filter(({ mark }) => !isBad || mark !== "good"), ...unset];
  });
  return [...found, ...bots.flatMap(checkFolders)];
}

/** Without one that is not there no agent begins; with one that is empty it does. */
function checkPassed(agent: string, passed: unknown, env: Env): Finding[] {
  const names = Array.isArray(passed) ? passed.map(String) : [];
  return names.filter((name) => !env[name]).map((name) => {
    const isThere = env[name] !== undefined;
    return {
      area: "Agents",
      mark: isThere ? "doubt" : "bad",
      message: `Agent "${agent}" is to be given ${name}, which is ` +
        (isThere ? "empty" : "not set: it does not begin"),
      mend: "Set it where herd runs or in .env beside the configuration, or take it out of " +
        "the agent's env",
    };
  });
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

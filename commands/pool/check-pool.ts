import { EXIT } from "../../lib/base/exit-codes.ts";
import { count } from "../../lib/base/text.ts";
import { visible } from "../../lib/base/width.ts";
import type { PoolContext } from "./options.ts";

/** Whether the configuration can be used, and what tasks it allows. */
export async function check({ out, json, env }: PoolContext): Promise<number> {
  const { readPoolConfig, herdConfigPath } = await import("../../lib/daemon/pool-settings.ts");
  const notices: string[] = [];
  const config = readPoolConfig(env, ({ message }) => notices.push(message));
  const { findConfinement } = await import("../../lib/daemon/confinement.ts");
  const { says } = await findConfinement(env);
  if (json) {
    out.json({
      file: herdConfigPath(env),
      notices,
      models: Object.keys(config.models),
      sandbox: says,
    });
    return EXIT.done;
  }
  out.print(
    `${herdConfigPath(env)}: ${count(Object.keys(config.models).length, "model")}, ` +
      `${count(Object.keys(config.backends).length, "backend")}, ` +
      `${
        config.discord === undefined ? "not on Discord" : `Discord server ${config.discord.guildId}`
      }`,
  );
  notices.forEach((notice) => out.print(`! ${visible(notice)}`));
  out.print(says);
  return EXIT.done;
}

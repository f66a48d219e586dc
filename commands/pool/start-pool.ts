import { startPart } from "../start-part.ts";
import type { PoolContext } from "./options.ts";

export async function start(context: PoolContext): Promise<number> {
  const { readPoolConfig } = await import("../../lib/daemon/pool-settings.ts");
  return await startPart(context, {
    name: "pool",
    check: (onNotice) => Promise.resolve(void readPoolConfig(context.env, onNotice)),
    meanwhile: "tasks wait",
  }, { detach: context.values.detach === true });
}

import { startPart } from "../start-part.ts";
import type { BrokerContext } from "./options.ts";

export async function start(context: BrokerContext): Promise<number> {
  const { readBrokerSettings } = await import("../../lib/daemon/broker-settings.ts");
  return await startPart(context, {
    name: "broker",
    check: (onNotice) => Promise.resolve(void readBrokerSettings(context.env, onNotice)),
    meanwhile: "what waits is answered when it is back",
  }, { detach: context.values.detach === true });
}

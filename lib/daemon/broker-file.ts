import { explain } from "../base/explain.ts";
import {
  type BrokerSettings,
  readBrokerSettings,
  readBrokerSettingsIfThere,
} from "./broker-settings.ts";
import { herdConfigStamp } from "./herd-config-file.ts";

/** The broker's section of herd's configuration, as it was when it was last good. */
export interface BrokerFile {
  /** Throws UserError when it was never good, or is not there. */
  current(): BrokerSettings;
  isThere(): boolean;
  /** What is wrong with the file now; what was good before goes on. */
  mistake(): string | undefined;
  /** Reads the file when it has changed; whether there are other settings now. */
  look(): boolean;
}

/** A mistake is told once. */
export function createBrokerFile(
  env: Readonly<Record<string, string | undefined>>,
  onMistake: (message: string) => void,
): BrokerFile {
  let settings: BrokerSettings | undefined;
  let mistake: string | undefined;
  let stamp: string | undefined;

  return {
    current: () => settings ?? readBrokerSettings(env),
    isThere: () => settings !== undefined,
    mistake: () => mistake,
    look() {
      // Before it is read: what is written meanwhile is another file.
      const now = stampOf(env);
      if (now === stamp) return false;
      stamp = now;
      try {
        // One that had bots and has lost its section is more likely cut off than meant.
        const read = settings === undefined
          ? readBrokerSettingsIfThere(env)
          : readBrokerSettings(env);
        settings = read;
        mistake = undefined;
        return read !== undefined;
      } catch (error) {
        const goes = settings === undefined ? "is not opened" : "goes on as it was configured";
        mistake = `The broker ${goes}: ${explain(error, "terminal")}`;
        onMistake(mistake);
        return false;
      }
    },
  };
}

/** Where there can be no file, reading it says why. */
function stampOf(env: Parameters<typeof herdConfigStamp>[0]): string {
  try {
    return herdConfigStamp(env);
  } catch {
    return "";
  }
}

import { currentBuild, currentRuntime, HANDOVER_VERSION } from "../lib/base/build.ts";
import { defineCommand } from "./command.ts";

/** Version, commit and runtime: what a bug report must say, and a daemon that restarts. */
export function versionFacts(): {
  version: string;
  commit: string;
  runtime: string;
  platform: string;
  target: string | null;
  handover: number;
} {
  const { version, commit, target } = currentBuild();
  const platform = `${process.platform}-${process.arch}`;
  return {
    ...{ version, commit, runtime: currentRuntime(), platform },
    target: target ?? null,
    handover: HANDOVER_VERSION,
  };
}

export const command = defineCommand({
  name: "version",
  summary: "Show the version, the commit and the runtime",
  examples: [{ line: "herd --version", meaning: "The same" }],
  run({ out, json }) {
    const facts = versionFacts();
    const { version, commit, runtime, platform } = facts;
    if (json) out.json(facts);
    else out.print(`herd ${version} (commit ${commit}, ${runtime}, ${platform})`);
    return 0;
  },
});

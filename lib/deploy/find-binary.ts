import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Build } from "../base/build.ts";
import { UserError } from "../base/errors.ts";
import { runProcess } from "../base/process.ts";
import { type Binary, fileNameOf, readBinary, targetOfName } from "./binary.ts";
import { chooseTarget, type Target } from "./choose-target.ts";
import type { HostFacts } from "./host-facts.ts";

export interface FindBinaryParts {
  build: Build;
  /** How this program is started: the executable alone, or the runtime, its options and `main.ts`. */
  self: readonly string[];
  /** The file that the user names; it is taken whatever it is called. */
  wanted: string | undefined;
  host: string;
  signal: AbortSignal;
  say(text: string): void;
}

/** How the executable for a host is come by. */
export type Source =
  | { from: "wanted" | "self" | "beside"; path: string; target: string | undefined }
  | { from: "compiled"; root: string; target: Target };

/** The executable for a host, compiled first where that is the way. Throws UserError. */
export async function findBinary(facts: HostFacts, parts: FindBinaryParts): Promise<Binary> {
  const source = chooseSource(facts, parts, existsSync);
  const { processor } = facts;
  if (source.from !== "compiled") return await readBinary(source.path, { ...source, processor });
  parts.say(`Compiling ${fileNameOf(source.target)}`);
  const path = await compile(source, parts);
  return await readBinary(path, { target: source.target, processor });
}

/** Which executable it is, without reading one. Throws UserError when there is none. */
export function chooseSource(
  facts: HostFacts,
  { build, self, wanted, host }: Pick<FindBinaryParts, "build" | "self" | "wanted" | "host">,
  exists: (path: string) => boolean,
): Source {
  const choice = chooseTarget(facts);
  if ("refused" in choice) {
    throw new UserError(`Cannot deploy to "${host}": ${choice.refused}`, { hint: choice.hint });
  }
  const { targets } = choice;
  if (wanted !== undefined) return { from: "wanted", path: wanted, target: targetOfName(wanted) };
  if (!build.compiled) {
    return { from: "compiled", root: dirname(self.at(-1) ?? ""), target: targets[0]! };
  }
  const path = self[0] ?? "";
  const own = targets.find((one) => one === build.target);
  if (own !== undefined) return { from: "self", path, target: own };
  for (const target of targets) {
    const beside = join(dirname(path), fileNameOf(target));
    if (exists(beside)) return { from: "beside", path: beside, target };
  }
  const names = targets.map(fileNameOf).join(" or ");
  throw new UserError(
    `Cannot deploy to "${host}": it needs ${names}, and this herd is for ${
      build.target ?? "another processor"
    }`,
    {
      hint:
        `Put the file into ${dirname(path)}, or name it with --binary FILE; a checkout makes it: ` +
        `deno task compile --target ${targets[0]}`,
    },
  );
}

async function compile(
  { root, target }: Source & { from: "compiled" },
  { self, signal }: FindBinaryParts,
): Promise<string> {
  const script = join(root, "scripts/compile.ts");
  const out = join(root, "dist", fileNameOf(target));
  const argv = [...self.slice(0, -1), script, "--target", target, "--out", out];
  const ended = await runProcess(argv, { cwd: root, signal });
  signal.throwIfAborted();
  if (ended.ok) return out;
  const said = ended.stderr.trim().split("\n").slice(-5).join("\n");
  throw new UserError(`Cannot compile ${fileNameOf(target)}: ${said || ended.spawnError}`, {
    hint: `The command was: ${argv.join(" ")}`,
  });
}

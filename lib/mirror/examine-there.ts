import type { SshHost } from "../ssh/ssh-host.ts";
import type { ThereAndFacts } from "./there-and-facts.ts";
import { MirrorError } from "./mirror-error.ts";

/** What keeps jobs from running there, with what to do. */
export interface Lack {
  message: string;
  hint: string;
}

/** `$1`: the workspace's folder. A line for each program that lacks, and for a folder that cannot be made. */
const SCRIPT = `for p in sbatch squeue scancel bash; do
  command -v "$p" >/dev/null 2>&1 || echo "program $p"
done
find / -maxdepth 0 -newerct @0 -printf '' 2>/dev/null || echo "program find"
d=$1
while [ ! -e "$d" ]; do d=$(dirname -- "$d"); done
if [ ! -d "$d" ] || [ ! -w "$d" ] || [ ! -x "$d" ]; then printf 'folder %s\\n' "$d"; fi
echo end`;

const TIMEOUT_MS = 60_000;

/** Looks whether the programs that herd calls are there, and the folder can be. Rejects with MirrorError. */
export async function examineThere(
  host: Pick<SshHost, "name" | "run">,
  { paths, facts }: ThereAndFacts,
  signal?: AbortSignal,
): Promise<readonly Lack[]> {
  const ended = await host.run(["/bin/sh", "-c", SCRIPT, "sh", paths.root], {
    timeoutMs: TIMEOUT_MS,
    // As herd's calls of SLURM's programs see it.
    env: { PATH: facts.login["PATH"] ?? "" },
    ...(signal === undefined ? {} : { signal }),
  });
  const lines = ended.stdout.split("\n");
  if (!lines.includes("end")) {
    const why = ended.lost ?? (ended.stderr.trim() || `no answer in ${TIMEOUT_MS / 1000} s`);
    throw new MirrorError("unreachable", `Cannot look at "${host.name}": ${why}`);
  }
  const programs = lines.flatMap((line) => /^program (\w+)$/.exec(line)?.[1] ?? []);
  const folder = /^folder ([^]*)\nend$/m.exec(ended.stdout)?.[1];
  return [
    ...programs.map((program) => lackOf(program, host.name)),
    ...(folder === undefined ? [] : [{
      message: `Cannot use "${paths.root}" on "${host.name}": "${folder}" is not writable there`,
      hint: "Name another folder in slurm.path",
    }]),
  ];
}

function lackOf(program: string, host: string): Lack {
  if (program === "find") {
    return {
      message: `Cannot run the sweep on "${host}": find there is not GNU's`,
      hint: "Without it nothing comes back from there; run herd there instead",
    };
  }
  return {
    message: `Cannot run the sweep on "${host}": "${program}" is not in the PATH of a login shell`,
    hint: "Set PATH, or load the module, in ~/.profile or ~/.bash_profile there",
  };
}

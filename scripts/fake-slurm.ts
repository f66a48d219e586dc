/**
 * Programs named sbatch, squeue, sacct, ... for the benchmark: they answer in the time of a
 * `cat`, so that herd's own time is seen, and write down every call. Tests of
 * behaviour use a real SLURM instead.
 */
const LIMITS = `MaxArraySize            = 1001
MaxJobCount             = 1000000
SLURM_VERSION           = 22.05.8
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = bench
`;

/** Remembers id, name and tasks of each submission; reads them from options and #SBATCH lines. */
const SBATCH = `#!/usr/bin/env python3
import os, re, sys
here = os.path.dirname(os.path.abspath(sys.argv[0]))
words = sys.argv[1:]
script = next((w for w in words if os.path.isfile(w)), None)
text = open(script).read() if script else sys.stdin.read()
words += [w for line in re.findall(r"^#SBATCH +(.*)$", text, re.M) for w in line.split()]
def option(name, short):
    for i, w in enumerate(words):
        if w.startswith(name + "="): return w.split("=", 1)[1].strip("'\\"")
        if w in (name, short): return words[i + 1].strip("'\\"")
jobs = os.path.join(here, "jobs")
number = 100 + (len(open(jobs).readlines()) if os.path.exists(jobs) else 0)
open(jobs, "a").write(f"{number}\\t{option('--job-name', '-J')}\\t{option('--array', '-a') or ''}\\n")
open(os.path.join(here, "bytes"), "a").write(f"{len(text)}\\n")
print(number if "--parsable" in words else f"Submitted batch job {number}")
`;

/** Every task is running; the answer to a question is kept, as the second time must cost nothing. */
const SQUEUE = `#!/usr/bin/env python3
import os, re, sys
here = os.path.dirname(os.path.abspath(sys.argv[0]))
words = sys.argv[1:]
wanted = next((w.split("=", 1)[1] if "=" in w else words[i + 1] for i, w in enumerate(words)
    if w in ("-o", "--format") or w.startswith("--format=")), "%i %T")
out = []
jobs = os.path.join(here, "jobs")
for line in open(jobs) if os.path.exists(jobs) else []:
    number, name, spec = line.rstrip("\\n").split("\\t")
    for part in spec.split("%")[0].split(",") if spec else [""]:
        low, _, high = part.partition("-")
        for task in range(int(low), int(high or low) + 1) if part else [None]:
            values = {"i": number if task is None else f"{number}_{task}", "F": number, "A": number,
                "K": "N/A" if task is None else str(task), "T": "RUNNING", "t": "R", "r": "None", "R": "n1",
                "j": name, "k": "(null)", "N": "n1", "S": "2026-01-01T00:00:00", "M": "1:00", "B": "n1"}
            out.append(re.sub(r"%[.0-9]*([a-zA-Z])", lambda m: values.get(m.group(1), ""), wanted))
sys.stdout.write("".join(line + "\\n" for line in out))
`;

function counted(name: string, answer: string): string {
  return `#!/usr/bin/env bash
here=$(dirname "$0")
printf '%s\\n' "${name} $*" >> "$here/calls"
${answer}
`;
}

const CACHED =
  `key=$(cat "$here/jobs" - <<<"$*" 2>/dev/null | cksum); answer="$here/answer-\${key// /-}"
[[ -f $answer ]] || "$here/squeue.py" "$@" > "$answer"
exec cat "$answer"`;

/** Writes the programs into a folder to be put on PATH. */
export async function makeFakeSlurm(folder: string): Promise<void> {
  const files: Record<string, string> = {
    "sbatch.py": SBATCH,
    "squeue.py": SQUEUE,
    "sbatch": counted("sbatch", 'exec "$here/sbatch.py" "$@"'),
    "squeue": counted("squeue", CACHED),
    "sacct": counted("sacct", "exit 0"),
    "scancel": counted("scancel", "exit 0"),
    "sinfo": counted("sinfo", "echo 'cpu*'"),
    "sacctmgr": counted("sacctmgr", "exit 0"),
    "scontrol": counted("scontrol", `cat <<'END'\n${LIMITS}END`),
  };
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o755 });
  }
}

import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { nearest, shellQuote } from "../lib/base/text.ts";
import type { NewFile } from "../lib/daemon/new-workspace.ts";
import type { Site } from "../lib/daemon/site.ts";
import { readConfig } from "../lib/sweep/read-config.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { choosePartition, renderConfig, renderHelper, renderLauncher } from "./init/templates.ts";
import type { InitFacts } from "./init/templates.ts";
import { say } from "./open.ts";

const OPTIONS = [
  { name: "config", value: "FILE", description: "Copy this YAML instead of the template" },
  { name: "launcher", value: "FILE", description: "Copy this launcher instead of the template" },
  {
    name: "force",
    short: "f",
    description: "Replace files that are there, keeping them as NAME.before-init",
  },
  {
    name: "python",
    description:
      "Also write herd_results.py, a helper for trainers in Python; where a sweep is, only it",
  },
  { name: "partition", value: "NAME", description: "SLURM partition to use" },
  { name: "no-cluster", description: "Do not ask SLURM for its partitions and limits" },
] as const;

type InitContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "init",
  summary: "Make a new sweep: hyperherd.yaml and launch.sh",
  details:
    "Asks the cluster for its partitions and limits and fills them in; where there is no SLURM\n" +
    "the sweep runs on this machine. Everything is checked before the first file is written.",
  arguments: [{ name: "DIRECTORY", optional: true, description: "Made when missing; default ." }],
  options: OPTIONS,
  examples: [
    { line: "herd init my-sweep", meaning: "a new folder with a template to fill in" },
    { line: "herd init . --python --partition gpu", meaning: "here, for trainers in Python" },
    { line: "herd init b --config a/hyperherd.yaml", meaning: "as another sweep is" },
  ],
  run: initCommand,
});

async function initCommand(context: InitContext): Promise<number> {
  const { values, positionals, cwd, out, json } = context;
  const { checkNewWorkspace, folderFor, isWorkspace, readSource, writeNewWorkspace } = await import(
    "../lib/daemon/new-workspace.ts"
  );
  const directory = folderFor(positionals[0] ?? ".", cwd);
  const asksForMore = values.force || values.config !== undefined || values.launcher !== undefined;
  if (values.python && !asksForMore && isWorkspace(directory)) {
    return await addHelper(context, directory);
  }
  const notes: string[] = [];
  const copy = values.config === undefined ? undefined : readSource(resolve(cwd, values.config));
  const given = values.launcher === undefined
    ? undefined
    : readSource(resolve(cwd, values.launcher));
  const config = copy === undefined ? undefined : copiedConfig(copy.bytes, notes);
  const launcher = launcherPath(directory, config, notes);
  const targets = [
    join(directory, "hyperherd.yaml"),
    ...(launcher === undefined ? [] : [launcher]),
    ...(values.python ? [join(directory, "herd_results.py")] : []),
  ];
  checkNewWorkspace(directory, targets.map((path) => ({ path })), values);
  const facts = await factsOf(context, directory, copy === undefined, notes);
  const files: NewFile[] = targets.map((path) => {
    if (path === targets[0]) return { path, text: copy?.bytes ?? renderConfig(facts), mode: 0o644 };
    if (path !== launcher) return { path, text: renderHelper(), mode: 0o644 };
    // Whoever may read it may run it.
    const mode = given === undefined ? 0o755 : given.mode | ((given.mode & 0o444) >> 2);
    return { path, text: given?.bytes ?? renderLauncher(), mode };
  });
  const kept = writeNewWorkspace(directory, files);
  const copied = copy !== undefined;
  const written = { directory, created: targets, kept, facts, copied, notes };
  if (json) out.json(documentOf(written));
  else tell(context, written);
  return EXIT.done;
}

/** `init --python` where a sweep is already. */
async function addHelper(
  { values, out, json, cwd }: InitContext,
  directory: string,
): Promise<number> {
  const { checkNewWorkspace, writeNewWorkspace } = await import("../lib/daemon/new-workspace.ts");
  const path = join(directory, "herd_results.py");
  checkNewWorkspace(directory, [{ path }], values);
  const notes = ["There is a sweep already: only the helper was added"];
  if (values.partition !== undefined) {
    notes.push("--partition was not used: the sweep's YAML stays as it is");
  }
  writeNewWorkspace(directory, [{ path, text: renderHelper(), mode: 0o644 }]);
  if (json) {
    const nothing = { kept: [], scheduler: null, partition: null, partitions: [] };
    out.json({ directory, created: [path], ...nothing, notes });
    return EXIT.done;
  }
  out.print(`Created ${relative(cwd, path)}`);
  for (const note of notes) say(out, note);
  return EXIT.done;
}

/** The launcher that a copied YAML names; undefined when the YAML cannot be read yet. */
function copiedConfig(bytes: Uint8Array, notes: string[]): { launcher: string } | undefined {
  try {
    return readConfig(new TextDecoder().decode(bytes), { file: "hyperherd.yaml" }).config;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    notes.push("The copied YAML has mistakes; `herd check` lists them");
    return undefined;
  }
}

/** Where the launcher goes: where the YAML expects it. Undefined when that is outside the folder. */
function launcherPath(
  directory: string,
  config: { launcher: string } | undefined,
  notes: string[],
): string | undefined {
  const named = config?.launcher || "launch.sh";
  const path = resolve(directory, named);
  const inside = relative(directory, path);
  if (inside !== "" && !inside.startsWith("..") && !isAbsolute(inside)) return path;
  notes.push(`No launcher was written: the YAML names ${path}, outside the new folder`);
  return undefined;
}

/** What the template needs to know of the place; nothing is asked for a YAML that is copied. */
async function factsOf(
  { values, env, clock }: InitContext,
  directory: string,
  templated: boolean,
  notes: string[],
): Promise<InitFacts> {
  const name = basename(directory) || "sweep";
  const { partition } = values;
  if (!templated) {
    if (partition !== undefined) notes.push("--partition was not used: the YAML was copied as is");
    return { name, slurm: true };
  }
  if (values["no-cluster"]) {
    const { isInstalled } = await import("../lib/daemon/choose.ts");
    return { name, partition, slurm: partition !== undefined || isInstalled("sbatch", env) };
  }
  const { askSite } = await import("../lib/daemon/site.ts");
  return { name, ...siteFacts(await askSite(env, clock), partition, notes) };
}

function siteFacts(
  site: Site,
  partition: string | undefined,
  notes: string[],
): Omit<InitFacts, "name"> {
  switch (site.slurm) {
    case "absent":
      if (partition === undefined) return { slurm: false };
      notes.push(`There is no SLURM here; partition "${partition}" is taken as it is`);
      return { slurm: true, partition };
    case "silent":
      notes.push(`The cluster could not be asked, check partition, time and mem: ${site.message}`);
      return { slurm: true, partition };
    case "present":
      checkPartition(partition, site.limits.partitions.map((one) => one.name));
      return { slurm: true, partition, partitions: site.limits.partitions };
  }
}

function checkPartition(wanted: string | undefined, known: readonly string[]): void {
  if (wanted === undefined || known.length === 0) return;
  // SLURM takes a list too.
  const unknown = wanted.split(",").find((one) => !known.includes(one));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  throw new UserError(
    `Cannot use partition "${unknown}": the cluster has ${
      known.map((one) => `"${one}"`).join(", ")
    }`,
    near === undefined ? {} : { hint: `Did you mean "${near}"?` },
  );
}

interface Written {
  directory: string;
  created: readonly string[];
  /** What `--force` replaced, under its new names. */
  kept: readonly string[];
  facts: InitFacts;
  copied: boolean;
  notes: readonly string[];
}

function documentOf({ directory, created, kept, facts, copied, notes }: Written): unknown {
  return {
    directory,
    created,
    kept,
    scheduler: copied ? null : facts.slurm === true ? "slurm" : "local",
    partition: copied ? null : choosePartition(facts) ?? null,
    partitions: (facts.partitions ?? []).map((one) => one.name),
    notes,
  };
}

function tell(
  { out, cwd }: InitContext,
  { directory, created, kept, facts, copied, notes }: Written,
): void {
  for (const path of created) out.print(`Created ${relative(cwd, path)}`);
  for (const path of kept) out.print(`Kept what was there as ${relative(cwd, path)}`);
  for (const note of notes) say(out, note);
  if (!copied) {
    const partition = choosePartition(facts);
    const where = facts.slurm !== true
      ? "No SLURM was found here: trials will run as processes of this machine"
      : partition === undefined
      ? "Trials will run through SLURM, in the site's default partition"
      : `Trials will run through SLURM, in partition ${partition}`;
    out.print(where);
  }
  const place = relative(cwd, directory);
  const edited = created.map((path) => basename(path)).slice(0, 2).join(" and ");
  out.print();
  out.print(out.paint.bold("Next:"));
  if (place !== "") out.print(`  cd ${shellQuote(place)}`);
  out.print(`  edit ${edited}`);
  out.print("  herd check             is it right, and which trials does it make?");
  out.print("  herd run -i 0 --wait   try the first trial; then all of them: herd run");
}

import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import { shellQuote } from "../base/text.ts";
import { isInstalled } from "../schedulers/choose.ts";
import { jobEnvironment } from "../sweep/job-environment.ts";
import { variablesRead } from "../sweep/launcher-variables.ts";
import { asksForTokens, readLauncher } from "./launcher-text.ts";
import type { Outside } from "./outside.ts";
import { checkFirstLine } from "./shebang.ts";

/**
 * What must be right before anything is submitted. Throws UserError with the
 * command that mends it; gives back what is only worth saying. A `preview`
 * writes nothing, so that a folder that is not writable is only worth saying.
 */
export function preflight(
  outside: Outside,
  scheduler: "slurm" | "local",
  { preview = false }: { preview?: boolean } = {},
): string[] {
  const { config } = outside.sweep();
  checkLauncher(outside.paths.root, config.launcher);
  const unwritable = preview ? noteUnwritable(outside.paths.root) : [];
  if (!preview) checkWritable(outside.paths.root);
  const isHere = scheduler === "local" || outside.host() === undefined;
  if (scheduler === "slurm" && isHere) checkPrograms();
  const launcher = readLauncher(outside.paths.root, config.launcher);
  const path = resolve(outside.paths.root, config.launcher);
  const environment = isHere ? outside.environment : outside.mirror()?.there()?.facts.login;
  return [
    ...unwritable,
    ...checkFirstLine(launcher, path, isHere ? outside.environment : undefined),
    ...splitting(outside, launcher),
    ...keptBack(outside, launcher, environment ?? {}),
  ];
}

/** Throws UserError where the launcher is not there, or is no program. */
export function checkLauncher(root: string, launcher: string): void {
  if (launcher === "") {
    throw new UserError('Cannot run the sweep: "launcher" is not set', {
      hint: "Add launcher: ./launch.sh to the YAML; `herd init` writes one to start from",
    });
  }
  const path = resolve(root, launcher);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) {
    const found = stats === undefined ? "there is no such file" : "it is no file";
    throw new UserError(`Cannot run the sweep: launcher "${path}": ${found}`, {
      hint: "The launcher's path is relative to the YAML's folder",
    });
  }
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new UserError(`Cannot run the sweep: launcher "${path}" is not executable`, {
      hint: `Run: chmod +x ${shellQuote(path)}`,
    });
  }
}

function checkWritable(root: string): void {
  try {
    accessSync(root, constants.W_OK);
  } catch {
    throw new UserError(`Cannot run the sweep: "${root}" is not writable`, {
      hint: "herd keeps logs, results and its journal in .hyperherd/ there",
    });
  }
}

function noteUnwritable(root: string): string[] {
  try {
    checkWritable(root);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [`${root} is not writable: it can be looked at, not run`];
  }
}

function checkPrograms(): void {
  for (const program of ["sbatch", "squeue", "scancel"]) {
    if (isInstalled(program, process.env)) continue;
    throw new UserError(`Cannot use SLURM: "${program}" is not on the PATH of this machine`, {
      hint: "Run herd on a login node, or use --local to run trials as processes here",
    });
  }
}

/** HyperHerd's launchers expand `$1` unquoted: a value with a space then falls apart. */
function splitting(outside: Outside, launcher: string): string[] {
  if (asksForTokens(launcher)) return [];
  for (const { params, extras } of outside.sweep().expansion.trials) {
    for (const [name, value] of [...Object.entries(params), ...Object.entries(extras)]) {
      if (typeof value !== "string" || !/[\s*?[\]]/.test(value)) continue;
      return [
        `Values such as ${name}=${
          JSON.stringify(value)
        } fall apart in a launcher that expands $1 ` +
        'unquoted; "${@:2}" passes every override intact',
      ];
    }
  }
  return [];
}

/** Jobs do not see the whole shell: a launcher that counts on a variable would find it empty. */
function keptBack(
  outside: Outside,
  launcher: string,
  environment: Outside["environment"],
): string[] {
  const { config } = outside.sweep();
  const here = { ...dotenvOf(outside), ...environment };
  const passed = jobEnvironment(here, config.slurm.export);
  const missing = variablesRead(launcher).filter((name) =>
    here[name] !== undefined && !Object.hasOwn(passed, name)
  );
  if (missing.length === 0) return [];
  const [are, do_, them] = missing.length === 1 ? ["is", "does", "it"] : ["are", "do", "them"];
  return [
    `${missing.join(", ")} ${are} used by ${config.launcher} and ${do_} not reach jobs; ` +
    `list ${them} under slurm.export`,
  ];
}

/** One that cannot be read is told when something of it is needed. */
function dotenvOf(outside: Outside): Readonly<Record<string, string>> {
  try {
    return outside.dotenv().values;
  } catch (error) {
    if (error instanceof UserError) return {};
    throw error;
  }
}

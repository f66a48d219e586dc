import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import { shellQuote } from "../base/text.ts";
import { isInstalled } from "../schedulers/choose.ts";
import type { Outside } from "./outside.ts";

/**
 * What must be right before anything is submitted. Throws UserError with the
 * command that mends it; gives back what is only worth saying.
 */
export function preflight(outside: Outside, scheduler: "slurm" | "local"): string[] {
  const { config } = outside.sweep();
  checkLauncher(outside.paths.root, config.launcher);
  checkWritable(outside.paths.root);
  if (scheduler === "slurm") checkPrograms();
  return splitting(outside);
}

function checkLauncher(root: string, launcher: string): void {
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

function checkPrograms(): void {
  for (const program of ["sbatch", "squeue", "scancel"]) {
    if (isInstalled(program, process.env)) continue;
    throw new UserError(`Cannot use SLURM: "${program}" is not on the PATH of this machine`, {
      hint: "Run herd on a login node, or use --local to run trials as processes here",
    });
  }
}

/** HyperHerd's launchers expand `$1` unquoted: a value with a space then falls apart. */
function splitting(outside: Outside): string[] {
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

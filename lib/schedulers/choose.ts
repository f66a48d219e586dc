import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Whether a program of this name can be run. */
export function isInstalled(
  program: string,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return (env["PATH"] ?? "").split(":").some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}

/** Where jobs run: what the command line says, else the YAML, else SLURM where it is installed. */
export function chooseScheduler(
  wishes: { flag: "slurm" | "local" | undefined; config: "slurm" | "local" | undefined },
  env: Readonly<Record<string, string | undefined>>,
): "slurm" | "local" {
  return wishes.flag ?? wishes.config ?? (isInstalled("sbatch", env) ? "slurm" : "local");
}

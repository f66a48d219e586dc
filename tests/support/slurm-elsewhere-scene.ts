import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shellQuote } from "../../lib/base/text.ts";
import { fewPrograms } from "./deploy-scene.ts";
import { HERD, herd, type Said } from "./herd.ts";
import { openReachScene, type ReachScene } from "./reach-scene.ts";

/** A laptop without SLURM, and `login`, where it is; no path of the one is one of the other. */
export interface SlurmElsewhereScene extends AsyncDisposable {
  reach: ReachScene;
  /** The workspace here, and where it is there. */
  here: string;
  there: string;
  /** Of commands here. */
  env: Record<string, string>;
  herd(...words: string[]): Promise<Said>;
  write(path: string, text: string): void;
}

/** What herd's own work needs of a laptop, and no program of SLURM. */
const PROGRAMS = ["bash", "sh", "env", "cat", "ps", "uname", "df", "git", "id"];

/** `launcher`: executable there as here. */
export async function openSlurmElsewhere(launcher: string): Promise<SlurmElsewhereScene> {
  const reach = await openReachScene();
  // As `herd deploy` leaves it: trainers there log through it.
  const herdThere = `#!/bin/bash\nexec ${shellQuote(HERD)} "$@"\n`;
  writeFileSync(join(reach.there, ".local/bin/herd"), herdThere, { mode: 0o755 });
  writeFileSync(join(reach.there, ".profile"), 'PATH="$HOME/.local/bin:$PATH"\n');
  const here = join(reach.here.env["HOME"]!, `my "laptop" $HOME's ü`);
  const there = join(reach.there, `scratch of 'ana' $(id) "$HOME" ☃`);
  const write = (path: string, text: string) => {
    mkdirSync(join(here, path, ".."), { recursive: true });
    writeFileSync(join(here, path), text);
  };
  write("launch.sh", launcher);
  chmodSync(join(here, "launch.sh"), 0o755);
  const PATH = fewPrograms(join(reach.here.env["HOME"]!, "bin"), PROGRAMS);
  const env = { ...reach.here.env, PATH };
  return {
    ...{ reach, here, there, env, write },
    herd: (...words) => herd(words, { env, cwd: here }),
    [Symbol.asyncDispose]: () => reach[Symbol.asyncDispose](),
  };
}

import { UserError } from "../base/errors.ts";
import { MirrorError } from "../mirror/mirror-error.ts";
import type { Outside } from "./outside.ts";

/** What a sweep whose jobs run on another computer needs beside what every sweep needs. */
export interface ElsewhereCheck {
  problems: readonly { message: string; hint: string | undefined }[];
  warnings: readonly string[];
  /** What would be sent there before the first job; undefined where that is not known. */
  sends: { files: number; bytes: number } | undefined;
  /** Where to, when the host was asked. */
  path: string | undefined;
}

/** Looks at the files that would go there and, with `cluster`, at what is there. Changes nothing. */
export async function checkElsewhere(
  outside: Outside,
  { cluster }: { cluster: boolean },
): Promise<ElsewhereCheck | undefined> {
  const mirror = outside.host() === undefined ? undefined : outside.mirror();
  if (mirror === undefined) return undefined;
  const problems: { message: string; hint: string | undefined }[] = [];
  const collect = (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    // Silence is told once, with the site's limits.
    if (error instanceof MirrorError && error.kind === "unreachable") return;
    problems.push({ message: error.message, hint: error.hint });
  };
  let chosen: ReturnType<typeof mirror.chosen> | undefined;
  try {
    chosen = mirror.chosen();
  } catch (error) {
    collect(error);
  }
  if (cluster) await mirror.examine().then((lacks) => problems.push(...lacks), collect);
  return {
    problems,
    warnings: chosen?.notices ?? [],
    sends: chosen && {
      files: chosen.files.length,
      bytes: chosen.files.reduce((sum, { size }) => sum + size, 0),
    },
    path: mirror.there()?.paths.root,
  };
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProcess } from "../../lib/base/process.ts";

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  [key: string]: unknown;
}

/** Where the fields of each kind that herd's manifests use are described. */
const DESCRIBED: Readonly<Record<string, string>> = {
  "apps/v1 Deployment": "apps/v1",
  "v1 ConfigMap": "core/v1",
  "v1 PersistentVolumeClaim": "core/v1",
};

/**
 * What Kubernetes would not know or not take of these, by its own description as types: a literal
 * with an unknown key, a missing one or a value of another type does not pass the type checker.
 */
export async function manifestMistakes(manifests: readonly Manifest[]): Promise<string> {
  const unknown = manifests.filter(({ apiVersion, kind }) =>
    !(`${apiVersion} ${kind}` in DESCRIBED)
  );
  if (unknown.length > 0) return `No such kind: ${unknown.map(({ kind }) => kind).join(", ")}`;
  const folder = mkdtempSync(join(tmpdir(), "herd-manifests-"));
  try {
    const file = join(folder, "manifests.ts");
    const lines = manifests.map((one, at) => {
      const from = `kubernetes-types/${DESCRIBED[`${one.apiVersion} ${one.kind}`]}.d.ts`;
      return `export const m${at}: import("${from}").${one.kind} = ${JSON.stringify(one)};`;
    });
    writeFileSync(file, lines.join("\n"));
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const { ok, stderr, spawnError } = await runProcess(
      [process.execPath, "check", "--quiet", "--config", config, file],
      { env: { ...(process.env as Record<string, string>), NO_COLOR: "1" }, timeoutMs: 60_000 },
    );
    return ok ? "" : stderr || `It was not checked: ${spawnError}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

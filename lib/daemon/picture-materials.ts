import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Materials } from "../charts/draw-png.ts";

/** Compiled into the executable by scripts/compile.ts; read from node_modules in a checkout. */
export const PICTURE_FILES = {
  wasm: "@resvg/resvg-wasm/index_bg.wasm",
  font: "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
} as const;

export function pictureMaterials(): Materials {
  return { wasm: pictureWasm(), font: bytesOf(PICTURE_FILES.font) };
}

export function pictureWasm(): Uint8Array {
  return bytesOf(PICTURE_FILES.wasm);
}

function bytesOf(file: string): Uint8Array {
  const name = file.slice(file.lastIndexOf("/") + 1);
  try {
    return readFileSync(new URL(`./${name}`, import.meta.url));
  } catch {
    return readFileSync(createRequire(import.meta.url).resolve(file));
  }
}

/** Finds files that import each other in a circle, types and import() counted too. */
import { posix } from "node:path";
import { ROOT } from "./setup.ts";

export type Graph = ReadonlyMap<string, readonly string[]>;

const IMPORTS =
  /^\s*(?:import|export)\b(?:[^"';]*?\bfrom)?\s*["'](\.[^"']+)["']|\bimport\(\s*["'](\.[^"']+)["']/gm;

/** The relative paths that a source imports; what stands in comments does not count. */
export function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [...code.matchAll(IMPORTS)].map((match) => match[1] ?? match[2] ?? "");
}

/** Each circle once, as the files along it; the first is named again at the end. */
export function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string): void {
    const at = path.indexOf(file);
    if (at >= 0) {
      cycles.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of new Set(graph.get(file))) visit(next);
    path.pop();
    done.add(file);
  }
  for (const file of graph.keys()) visit(file);
  return cycles;
}

async function readGraph(): Promise<Graph> {
  const graph = new Map<string, string[]>();
  for await (const file of sources("")) {
    const found = importsOf(await Deno.readTextFile(`${ROOT}${file}`));
    graph.set(file, found.map((source) => posix.join(posix.dirname(file), source)));
  }
  return graph;
}

async function* sources(folder: string): AsyncGenerator<string> {
  if (folder === "") {
    yield "main.ts";
    yield* sources("lib/");
    yield* sources("commands/");
    return;
  }
  for await (const entry of Deno.readDir(`${ROOT}${folder}`)) {
    if (entry.isDirectory) yield* sources(`${folder}${entry.name}/`);
    else if (entry.name.endsWith(".ts")) yield `${folder}${entry.name}`;
  }
}

if (import.meta.main) {
  const cycles = findCycles(await readGraph());
  for (const cycle of cycles) console.error(`Import cycle: ${cycle.join(" -> ")}`);
  if (cycles.length > 0) Deno.exit(1);
}

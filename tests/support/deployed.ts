import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import type { Manifest } from "./manifest-mistakes.ts";

const FOLDER = new URL("../../deploy/kubernetes/", import.meta.url);

export interface Kustomization {
  resources: string[];
  configMapGenerator: { name: string; files: string[] }[];
  [key: string]: unknown;
}

export function deployedText(file: string): string {
  return readFileSync(new URL(file, FOLDER), "utf8");
}

export function deployedFiles(): string[] {
  return readdirSync(FOLDER).sort();
}

export function kustomization(): Kustomization {
  return parse(deployedText("kustomization.yaml"));
}

/** What `kubectl apply -k` sends, but for labels. */
export function manifests(): Manifest[] {
  const { resources, configMapGenerator } = kustomization();
  return [
    ...resources.map((file) => parse(deployedText(file)) as Manifest),
    ...configMapGenerator.map(({ name, files }) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name },
      data: Object.fromEntries(files.map((file) => [file, deployedText(file)])),
    })),
  ];
}

/** The one pod of the one deployment, and its one container. */
export function deployedPod() {
  const one = manifests().find(({ kind }) => kind === "Deployment") as unknown as Deployment;
  const { spec } = one.spec!.template;
  return { deployment: one.spec!, pod: spec!, container: spec!.containers[0]! };
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";
import { runCommand } from "../../support/command.ts";
import {
  deployedFiles,
  deployedPod,
  deployedText,
  kustomization,
  manifests,
} from "../../support/deployed.ts";
import { type Manifest, manifestMistakes } from "../../support/manifest-mistakes.ts";

test("every field of the manifests is one that Kubernetes knows, of its type", async () => {
  assert.equal(await manifestMistakes(manifests()), "");
});

test("a mistaken field, a missing one and a wrong type do not pass", async () => {
  const deployment = JSON.stringify(manifests().find(({ kind }) => kind === "Deployment"));
  const mistaken: [from: string, to: string, told: RegExp][] = [
    [
      "terminationGracePeriodSeconds",
      "terminationGracePeriod",
      /"terminationGracePeriod"' does not exist/,
    ],
    [
      "readOnlyRootFilesystem",
      "readonlyRootFilesystem",
      /"readonlyRootFilesystem"' does not exist/,
    ],
    ['"mountPath":"/tmp"', '"path":"/tmp"', /"path"' does not exist in type 'VolumeMount'/],
    ['"replicas":1', '"replicas":"1"', /'string' is not assignable to type 'number'/],
    ['"name":"herd","image"', '"image"', /Property 'name' is missing/],
  ];
  const told = await manifestMistakes(mistaken.map(([from, to]) => {
    const text = deployment.replace(from, to);
    assert.notEqual(text, deployment, from);
    return JSON.parse(text) as Manifest;
  }));
  for (const [from, , wanted] of mistaken) assert.match(told, wanted, from);
  const apart = { apiVersion: "v1", kind: "Deploymnet", metadata: { name: "x" } };
  assert.match(await manifestMistakes([apart]), /No such kind: Deploymnet/);
});

test("what the manifests name is there: files, volumes, claims, configuration, labels", () => {
  const { resources, configMapGenerator } = kustomization();
  assert.deepEqual(
    [...resources, ...configMapGenerator.flatMap(({ files }) => files), "kustomization.yaml"]
      .sort(),
    deployedFiles(),
  );
  const names = (kind: string) =>
    manifests().flatMap((one) => one.kind === kind ? one.metadata.name : []);
  const { deployment, pod, container } = deployedPod();
  const volumes = pod.volumes ?? [];
  assert.deepEqual(
    container.volumeMounts!.map(({ name }) => name).sort(),
    volumes.map(({ name }) => name).sort(),
  );
  assert.deepEqual(
    volumes.flatMap(({ persistentVolumeClaim: one }) => one?.claimName ?? []),
    names("PersistentVolumeClaim"),
  );
  assert.deepEqual(volumes.flatMap(({ configMap: one }) => one?.name ?? []), names("ConfigMap"));
  assert.deepEqual(deployment.selector.matchLabels, deployment.template.metadata!.labels);
});

test("one writer, no rights, secrets by reference, and a folder for all that is written", () => {
  const { deployment, pod, container } = deployedPod();
  assert.deepEqual([deployment.replicas, deployment.strategy], [1, { type: "Recreate" }]);
  assert.equal(pod.securityContext!.runAsNonRoot, true);
  assert.equal(pod.securityContext!.fsGroup, pod.securityContext!.runAsUser);
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  assert.deepEqual(container.envFrom, [{ secretRef: { name: "herd-secrets" } }]);
  const mounted = container.volumeMounts!.map(({ mountPath }) => mountPath);
  const env = new Map((container.env ?? []).map(({ name, value }) => [name, value ?? ""]));
  assert.ok(mounted.includes(env.get("HOME")!), "what herd keeps is on the volume");
  assert.ok(env.get("HERD_CONFIG")!.startsWith(`${mounted.find((one) => /etc/.test(one))!}/`));
  assert.ok(pod.hostname, "herd's state goes by the host's name");
});

test("the configuration is one that herd takes, and the commands are herd's own", async () => {
  const { broker, notices } = readHerdConfig(deployedText("config.yaml"), "config.yaml");
  assert.deepEqual([broker!.bots.length, notices], [1, []]);
  const { args, startupProbe, livenessProbe, readinessProbe } = deployedPod().container;
  const commands = [startupProbe, livenessProbe, readinessProbe].map((one) => one!.exec!.command!);
  for (const line of [["herd", ...args!], ...commands]) {
    const [herd, ...argv] = line;
    assert.equal(herd, "herd");
    assert.equal((await runCommand([...argv, "--help"])).code, 0, line.join(" "));
  }
});

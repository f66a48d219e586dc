import { existsSync } from "node:fs";
import type { Build } from "../base/build.ts";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { enterHost } from "../ssh/enter-host.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { askHost } from "./ask-host.ts";
import { type Binary, hashOf } from "./binary.ts";
import { chooseSource, findBinary } from "./find-binary.ts";
import type { HostFacts } from "./host-facts.ts";
import { putInPlace } from "./put-in-place.ts";
import { rollBack, whyNoWayBack } from "./roll-back.ts";
import { megabytes, partPath, upload } from "./upload.ts";

export interface DeployParts {
  host: SshHost;
  /** Absolute, or relative to the home folder there. */
  path: string;
  /** See `FindBinaryParts`. */
  build: Build;
  self: readonly string[];
  wanted: string | undefined;
  clock: Clock;
  signal: AbortSignal;
  /** Go back to the one before. */
  isRollback: boolean;
  /** Only say what would be done. */
  isDryRun: boolean;
  /** A step that is done or begins, as a sentence. */
  say(text: string): void;
  onProgress(done: number, all: number): void;
}

export interface Deployed {
  outcome: "installed" | "same" | "rolled-back" | "would-install" | "would-roll-back";
  /** Absolute. */
  path: string;
  /** What it says of itself there; undefined where nothing was tried. */
  says: string | undefined;
  /** What lay there before. */
  before: string | undefined;
  target: string | undefined;
  sha256: string | undefined;
  /** Bytes that went there now. */
  sent: number;
  /** Whether shells there find it by its name. */
  isFound: boolean;
  facts: HostFacts;
}

/** Brings herd to one host and proves that it works there. Throws UserError and its like. */
export async function deploy(parts: DeployParts): Promise<Deployed> {
  const { host, signal, say } = parts;
  await enterHost(host, signal);
  const facts = await askHost(host, parts.path, signal);
  say(described(facts));
  const { path, there, searched } = facts;
  const common = {
    ...{ path, before: there?.says, target: undefined, sha256: undefined, sent: 0, facts },
    isFound: searched.includes(path.replace(/\/[^/]*$/, "")),
  };
  refuseOthers(host, facts);
  if (parts.isRollback) return { ...common, ...await goBack(facts, parts) };
  if (parts.isDryRun) {
    // Compiling would be doing something.
    const source = chooseSource(facts, { ...parts, host: host.name }, existsSync);
    if (source.from === "compiled") {
      return { ...common, outcome: "would-install", says: undefined, target: source.target };
    }
  }
  const binary = await findBinary(facts, { ...parts, host: host.name });
  const known = { ...common, target: binary.target, sha256: binary.sha256 };
  if (await isSame(facts, binary, host, signal)) {
    return { ...known, outcome: "same", says: there?.says };
  }
  refuseWithoutRoom(host, facts, await missing(facts, binary, host));
  if (parts.isDryRun) return { ...known, outcome: "would-install", says: undefined };
  return { ...known, ...await install(facts, binary, parts) };
}

async function install(
  facts: HostFacts,
  binary: Binary,
  parts: DeployParts,
): Promise<Pick<Deployed, "outcome" | "says" | "sent">> {
  const { host, signal, say } = parts;
  const part = partPath(facts.path, binary);
  try {
    await host.files.makeFolder(folderOf(facts.path), { parents: true });
  } catch (error) {
    throw new UserError(`Cannot deploy to "${host.name}": ${(error as Error).message}`, {
      hint: "Choose a folder that you may write: herd deploy HOST:PATH",
      cause: error,
    });
  }
  for (let isSecond = false;; isSecond = true) {
    say(`Uploading ${binary.path} (${megabytes(binary.size)})`);
    const { resumedFrom } = await upload(binary, part, parts);
    if (resumedFrom > 0) say(`${megabytes(resumedFrom)} were there from before`);
    const put = await putInPlace(host, binary, part, facts, signal);
    if (put.kind === "done") {
      return { outcome: "installed", says: put.says, sent: binary.size - resumedFrom };
    }
    if (isSecond || resumedFrom === 0) {
      throw new UserError(`Cannot deploy to "${host.name}": what arrived is not what was sent`, {
        hint: "The disk there or the way to it changes bytes, or the file here changed meanwhile",
      });
    }
    say("What was there from before is damaged: it goes there anew");
  }
}

async function goBack(
  facts: HostFacts,
  { host, isDryRun, signal }: DeployParts,
): Promise<Pick<Deployed, "outcome" | "says" | "sha256">> {
  const { previous } = facts;
  const after = { says: previous?.says, sha256: previous?.sha256 };
  if (isDryRun && whyNoWayBack(facts) === undefined) {
    return { outcome: "would-roll-back", ...after };
  }
  await rollBack(host, facts, signal);
  return { outcome: "rolled-back", ...after };
}

function described({ system, processor, libc, avx2, freeBytes, there, path }: HostFacts): string {
  const library = libc === undefined ? "" : `, ${libc.kind} ${libc.version ?? ""}`.trimEnd();
  const vectors = processor === "x86_64" && !avx2 ? " without AVX2" : "";
  const room = freeBytes === undefined ? "" : `, ${megabytes(freeBytes)} free`;
  const lies = there === undefined
    ? "nothing is there yet"
    : there.says ?? "what is there does not start";
  return `${system} ${processor}${vectors}${library}${room}; ${path}: ${lies}`;
}

/** Something that is no herd is never replaced. */
function refuseOthers(
  { name }: SshHost,
  { path, there, previous, above }: HostFacts,
): void {
  const refuse = (why: string, hint: string) => {
    throw new UserError(`Cannot deploy to "${name}": ${why}`, { hint });
  };
  const another = `Name another path: herd deploy ${name}:PATH`;
  if (there?.kind === "folder") refuse(`"${path}" is a folder`, `herd deploy ${name}:${path}/herd`);
  if (there?.kind === "other") refuse(`"${path}" is no file`, another);
  if (there?.isHerd === false) refuse(`"${path}" is there and is no herd`, another);
  if (previous?.isHerd === false) {
    refuse(
      `"${path}.previous", where the one before is kept, is there and is no herd`,
      "Move it away",
    );
  }
  if (!above.isFolder) refuse(`"${above.path}" is no folder`, another);
  if (!above.isWritable) refuse(`the folder "${above.path}" may not be written`, another);
}

/** The bytes still to be written. */
async function missing(facts: HostFacts, binary: Binary, { files }: SshHost): Promise<number> {
  const part = await files.stat(partPath(facts.path, binary)).catch(() => undefined);
  return Math.max(0, binary.size - (part?.size ?? 0));
}

function refuseWithoutRoom({ name }: SshHost, { freeBytes, above }: HostFacts, need: number): void {
  if (freeBytes === undefined || freeBytes >= need) return;
  throw new UserError(
    `Cannot deploy to "${name}": ${megabytes(freeBytes)} are free in "${above.path}", ` +
      `${megabytes(need)} are needed`,
    { hint: `Make room, or name another path: herd deploy ${name}:PATH` },
  );
}

/** Where nothing there can compute a hash, a file of the same size is read back. */
async function isSame(
  { there, path }: HostFacts,
  { sha256, size }: Binary,
  { files }: SshHost,
  signal: AbortSignal,
): Promise<boolean> {
  if (there?.says === undefined) return false;
  if (there.sha256 !== undefined) return there.sha256 === sha256;
  const facts = await files.stat(path);
  return facts?.size === size && await hashOf(files.read(path, { signal })) === sha256;
}

function folderOf(path: string): string {
  return path.replace(/\/[^/]*$/, "") || "/";
}

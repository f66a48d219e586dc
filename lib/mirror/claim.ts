import { join } from "node:path";
import { z } from "../base/schema.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { MARKER } from "./listing.ts";
import { MirrorError } from "./mirror-error.ts";

/** A workspace as it calls itself on the host. */
export interface Claimant {
  /** Of its memory: a copy of the folder has the same. */
  id: string;
  /** Number of the inode of `.hyperherd`: a copy has another. Undefined where it cannot be told. */
  inode: string | undefined;
  /** For people, such as `ana@laptop:/home/ana/sweep`. */
  from: string;
}

export interface ClaimParts {
  host: Pick<SshHost, "name" | "files">;
  /** The workspace's paths on the host. */
  paths: Pick<WorkspacePaths, "root" | "state" | "journal" | "manifest">;
  self: Claimant;
  /** The user's word that the folder is this workspace's, whoever used it before. */
  adopts: boolean;
  /** Whether jobs of this workspace may be alive there: what they write is not put aside. */
  isLive: boolean;
}

const Marker = z.object({ id: z.string(), from: z.string(), inode: z.string().optional() });

/**
 * Takes the folder there for this workspace: two that sent their jobs from one folder would take
 * each other's endings for theirs. Throws MirrorError where it is somebody else's. `empty`: neither
 * what was sent nor what was fetched is there any more; `left`: what jobs wrote is. `label` names
 * what of another workspace is put aside.
 */
export async function claim(parts: ClaimParts, label: string): Promise<"kept" | "empty" | "left"> {
  const { host: { files }, paths, self, isLive } = parts;
  const other = await assertFree(parts);
  if (other !== undefined && isSelf(other, self)) {
    await makeManifest(parts);
    return "kept";
  }
  // Results and records of another sweep would be taken for those of this one.
  const isAside = other !== undefined && other.id !== self.id && !isLive;
  if (isAside) {
    await files.rename(paths.state, `${paths.state}.before-${label}`);
  }
  await files.makeFolder(paths.state, { parents: true, mode: 0o700 });
  await makeManifest(parts);
  const text = `${JSON.stringify(self)}\n`;
  await files.replace(markerOf(paths), new TextEncoder().encode(text), 0o600);
  await assertClaimed(parts);
  if (other?.id === self.id) return "kept";
  return other === undefined || isAside ? "empty" : "left";
}

/** By this file `herd log` and HyperHerd's library tell that they see the whole workspace. */
async function makeManifest({ host: { files }, paths }: ClaimParts): Promise<void> {
  if (await files.stat(paths.manifest) !== undefined) return;
  await files.replace(paths.manifest, new TextEncoder().encode("[]\n"), 0o600);
}

/** Whose the folder is so far. Throws MirrorError where it is not to be had; changes nothing. */
export async function assertFree(parts: ClaimParts): Promise<Claimant | undefined> {
  const { host: { files, name }, paths, self, adopts } = parts;
  if (await files.stat(paths.journal) !== undefined) {
    throw new MirrorError(
      "unusable",
      `Cannot use "${paths.root}" on "${name}": it is a sweep of its own, which herd runs there`,
      {
        hint: `Run it there: herd --host ${name} monitor …; or name another folder in slurm.path`,
      },
    );
  }
  const other = await readMarker(parts);
  if (other === undefined || isSelf(other, self)) return other;
  // The same folder here without its memory: it was cleaned, or damaged.
  const isOwn = other.from === self.from && other.id !== self.id;
  if (!isOwn && !adopts) throw taken(parts, other);
  return other;
}

/** Whether the folder is still there; throws MirrorError when it was taken over. */
export async function assertClaimed(parts: ClaimParts): Promise<boolean> {
  const other = await readMarker(parts);
  if (other !== undefined && !isSelf(other, parts.self)) throw taken(parts, other);
  return other !== undefined;
}

/** The same of a marker's text, which was read on the way; empty where there is none. */
export function assertMarker(parts: ClaimParts, text: string): void {
  if (text.trim() === "") return;
  const other = parseMarker(text, markerOf(parts.paths));
  if (!isSelf(other, parts.self)) throw taken(parts, other);
}

async function readMarker({ host: { files }, paths }: ClaimParts): Promise<Claimant | undefined> {
  const path = markerOf(paths);
  if (await files.stat(path) === undefined) return undefined;
  return parseMarker(
    new TextDecoder().decode(await files.readBytes(path, { length: 65_536 })),
    path,
  );
}

function parseMarker(text: string, path: string): Claimant {
  try {
    const { id, from, inode } = Marker.parse(JSON.parse(text));
    return { id, from, inode };
  } catch {
    return { id: "", from: `somewhere ("${path}" cannot be read)`, inode: undefined };
  }
}

function markerOf({ state }: Pick<WorkspacePaths, "state">): string {
  return join(state, MARKER);
}

/** The folder may have been renamed, or the laptop. */
function isSelf(other: Claimant, self: Claimant): boolean {
  if (other.id !== self.id) return false;
  return other.inode === undefined || self.inode === undefined || other.inode === self.inode;
}

function taken({ host, paths, self }: ClaimParts, other: Claimant): MirrorError {
  const cannot = `Cannot use "${paths.root}" on "${host.name}": jobs are sent there from ` +
    other.from;
  if (other.id === self.id) {
    return new MirrorError("unusable", `${cannot}, of which this folder is a copy`, {
      hint: "Use that one, or name another folder in slurm.path; if this one has taken its place " +
        "(restored, moved to another disk), say so with HERD_ADOPT=1",
    });
  }
  return new MirrorError("unusable", cannot, {
    hint:
      "Name another folder in slurm.path; if that one is gone for good, HERD_ADOPT=1 takes the " +
      "folder, and puts what herd kept in it aside",
  });
}

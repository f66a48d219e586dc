import { readFileSync, realpathSync, statfsSync } from "node:fs";

/** The file system that a path is on. */
export interface Mount {
  /** As the system names it, such as `nfs4`, `lustre` or `ext4`. */
  type: string;
  /** Where it is mounted. */
  folder: string;
  /** Whether other machines can have the same files: undefined for types that nobody told us of. */
  shared: boolean | undefined;
}

const SHARED =
  /^(nfs4?|lustre|gpfs|beegfs(_nodev)?|ceph|cifs|smb3?|smbfs|9p|orangefs|pvfs2|panfs|wekafs|afs|gfs2?|ocfs2|glusterfs|virtiofs|mmfs|vastnfs|daos|quobyte|fuse\.(ceph|glusterfs|sshfs|beegfs|juicefs|quobyte|moosefs|dfuse|rclone|lizardfs|s3fs))$/;
const OWN =
  /^(ext[234]|xfs|btrfs|zfs|f2fs|jfs|tmpfs|ramfs|overlay|aufs|squashfs|vfat|exfat|ntfs3?|bcachefs|rootfs|apfs|hfs)$/;

/** The mount of a path that exists, by /proc/mounts; undefined where there is no such list. */
export function mountOf(path: string): Mount | undefined {
  try {
    return findMount(readFileSync("/proc/mounts", "utf8"), realpathSync(path));
  } catch {
    return undefined;
  }
}

/** The last line of a mount table whose folder holds the path: later mounts hide earlier ones. */
export function findMount(table: string, path: string): Mount | undefined {
  let found: { type: string; folder: string } | undefined;
  for (const line of table.split("\n")) {
    const [, mounted, type] = line.split(" ");
    if (mounted === undefined || type === undefined || type === "autofs") continue;
    const folder = unescape(mounted);
    const holds = folder === "/" || path === folder || path.startsWith(`${folder}/`);
    if (holds && folder.length >= (found?.folder.length ?? 0)) found = { type, folder };
  }
  if (found === undefined) return undefined;
  const shared = SHARED.test(found.type) ? true : OWN.test(found.type) ? false : undefined;
  return { ...found, shared };
}

/** Spaces and the like stand in the table as octal numbers. */
function unescape(text: string): string {
  return text.replace(
    /\\([0-7]{3})/g,
    (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
  );
}

/** What is free for this user where the path is. */
export interface FreeSpace {
  bytes: number;
  /** Undefined where the file system counts none. */
  inodes: number | undefined;
}

export function freeSpace(path: string): FreeSpace {
  const { bavail, bsize, files, ffree } = statfsSync(path);
  return { bytes: bavail * bsize, inodes: files > 0 ? ffree : undefined };
}

import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import test from "node:test";
import { findMount, freeSpace, mountOf } from "../../../lib/base/mount.ts";

const TABLE = `rootfs / rootfs rw 0 0
/dev/vda / ext4 rw,relatime 0 0
nas:/home /home nfs4 rw,vers=4.2 0 0
/etc/auto.misc /misc autofs rw 0 0
mds@tcp:/scratch /home/scratch lustre rw 0 0
ceph-fuse /mnt/with\\040space fuse.ceph rw 0 0
thing /odd oddfs rw 0 0
/dev/sdb /home/local xfs rw 0 0
tmpfs /home/local tmpfs rw 0 0
`;

test("the mount of a path is the deepest one, and of two on one folder the later", () => {
  const cases: [string, string, boolean | undefined][] = [
    ["/", "ext4", false],
    ["/homeless/x", "ext4", false],
    ["/home", "nfs4", true],
    ["/home/ann/sweep", "nfs4", true],
    ["/home/scratch/ann", "lustre", true],
    ["/mnt/with space/a", "fuse.ceph", true],
    ["/home/local/a", "tmpfs", false],
    ["/odd/a", "oddfs", undefined],
    ["/misc/a", "ext4", false],
  ];
  for (const [path, type, shared] of cases) {
    const mount = findMount(TABLE, path);
    assert.deepEqual([mount?.type, mount?.shared], [type, shared], path);
  }
  assert.equal(findMount("", "/home"), undefined);
});

test("this machine's own table is read", () => {
  assert.ok((mountOf(tmpdir())?.type ?? "") !== "");
  assert.equal(mountOf("/no/such/path"), undefined);
  assert.ok(freeSpace(tmpdir()).bytes > 0);
});

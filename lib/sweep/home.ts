/** Which folder submitted something: a copy of it has another inode, a folder that was moved another path. */
export interface Home {
  /** The workspace's path, links resolved. */
  path: string;
  /** Number of the inode of `.hyperherd`: text, since it may exceed what a JSON number holds. */
  inode: string;
}

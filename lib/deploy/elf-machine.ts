/** The processor that an executable of Linux is made for; undefined for anything else. */
export function elfMachine(head: Uint8Array): "x86_64" | "aarch64" | undefined {
  const isElf = head.length >= 20 && head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c &&
    head[3] === 0x46;
  if (!isElf) return undefined;
  const machine = head[18]! | head[19]! << 8;
  return machine === 62 ? "x86_64" : machine === 183 ? "aarch64" : undefined;
}

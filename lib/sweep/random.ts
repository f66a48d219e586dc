/**
 * Numbers in [0, 1) that depend on the seed and the name alone. Each parameter
 * has its own stream, so more samples or another parameter change no earlier
 * sample. Written out here, because results must be the same in every version
 * and on every machine: never change it.
 */
export function createStream(seed: number, name: string): () => number {
  const next = createSfc32(fingerprint(`${seed}:${name}`));
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}

/** Chris Doty-Humphrey's small fast chaotic generator: 128 bits of state, 32 bits at a time. */
function createSfc32(seed: readonly [number, number, number]): () => number {
  let [a, b, c] = seed;
  let counter = 1;
  function next(): number {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  }
  for (let i = 0; i < 15; i++) next();
  return next;
}

/** 96 well mixed bits of a text. */
function fingerprint(text: string): [number, number, number] {
  const lanes: [number, number, number] = [0x9e3779b9 | 0, 0x243f6a88, 0xb7e15162 | 0];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    lanes[0] = Math.imul(lanes[0] ^ unit, 0x01000193);
    lanes[1] = Math.imul(lanes[1] ^ unit, 0x85ebca6b) ^ (lanes[0] >>> 15);
    lanes[2] = Math.imul(lanes[2] ^ unit, 0xc2b2ae35) ^ (lanes[1] >>> 13);
  }
  return [avalanche(lanes[0]), avalanche(lanes[1]), avalanche(lanes[2])];
}

function avalanche(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

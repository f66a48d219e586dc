/** A generator of numbers from 0 up to 1 that gives the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const PIECES = [
  "word",
  "loss=0.123",
  "@everyone",
  "@here",
  "<@123456789012345678>",
  "<@&123456789012345678>",
  "<#123456789012345678>",
  "**bold**",
  "`code`",
  "_under_",
  "~~gone~~",
  "||spoiler||",
  "[link](https://example.org)",
  "שלום עולם",
  "مرحبا",
  "\u202eevil\u202c",
  "👩‍👩‍👧‍👦",
  "🏳️‍🌈",
  "é̂̃",
  "漢字かな",
  "a".repeat(300),
  "x".repeat(2500),
  "👍".repeat(700),
  "\x1b[31mred\x1b[0m",
  "\t",
  "# title",
  "- item",
  "1. first",
  "> quote",
  "The end. Next sentence? Yes! ",
];

/** Text of everything that has ever broken a chat: long words, fences, pings, emoji, other scripts. */
export function randomText(random: () => number, pieces = 60): string {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
  let text = "";
  for (let i = 0; i < Math.floor(random() * pieces); i++) {
    text += pick(PIECES) + pick([" ", " ", "\n", "\n\n", ". ", ""]);
    if (random() < 0.05) {
      const lines = Array.from({ length: Math.floor(random() * 80) }, () => pick(PIECES).trim());
      text += `\n\`\`\`${pick(["", "python", "sh"])}\n${lines.join("\n")}\n\`\`\`\n`;
    }
    if (random() < 0.01) text += "\n```\nnever closed\n";
  }
  return text;
}

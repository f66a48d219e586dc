/** Words that a shell, a printf or a terminal would do something with. `canary` is a file to be made. */
export function hostileWords(canary: string): readonly string[] {
  return [
    ...["", " ", "a b", "it's", 'say "x"', "back\\slash", "\\", "\\n", "\\0101", "'\\''"],
    ...["two\nlines", "\n", "ends with newlines\n\n\n", "\r", "tab\there"],
    ...["!", "a!b!!", "!!:s/a/b/", "!$", "^x^y^"],
    ...[`$(touch ${canary})`, `\`touch ${canary}\``, `; touch ${canary};`, `\ntouch ${canary}\n`],
    ...[
      `'; touch ${canary}; '`,
      `" ; touch ${canary} ; "`,
      `(touch ${canary})`,
      `{touch,${canary}}`,
    ],
    ...[`| touch ${canary}`, `&& touch ${canary}`, `> ${canary}`, `\\\n; touch ${canary}`],
    ...["${HOME}", "$HOME", "$$", "$argv", "$_h", "_h=1", "${_h%.}"],
    ...["*", "/*", "?", "[a-z]", "{a,b}", "@(x)", "~", "~root", "~/x", ":x"],
    ...["-n", "--", "-e", "-c", "--host", "--json", "a=b", "HOME=/"],
    ...[
      "%s%n%%",
      "%h",
      "#no comment",
      "a#b",
      "&",
      "&&",
      "|",
      ">x",
      "<x",
      "(x)",
      "\x01\x02\x1b[31m\x7f",
    ],
    ...["ünïcödé", "日本語 🐑", "\u{fffd}", "\u{feff}bom", "\u202eevil\u202c", "0123 \u{1}7"],
  ];
}

const SIGNS = "'\"`\\$(){}[]<>|&;!#%^*?~=:,.-+@ \n\r\t\x01\x1b\x7faZ09_üß日🐑\u00a0\u2028";

/** Words of pieces of the above and of single signs, the same ones for the same numbers. */
export function randomHostileWords(
  random: () => number,
  { canary, count }: { canary: string; count: number },
): string[] {
  const below = (most: number) => Math.floor(random() * most);
  const words = hostileWords(canary);
  const signs = [...SIGNS];
  const piece = () => random() < 0.3 ? words[below(words.length)]! : signs[below(signs.length)]!;
  return Array.from({ length: count }, () => Array.from({ length: below(12) }, piece).join(""));
}

/** Bytes of a name; file systems take 255, and a number may be put in. */
const LONGEST = 150;

/**
 * A file's name as somebody gave it, made one that can stand in any folder: no way out of it, not
 * hidden, no control or direction characters, not too long. Never empty.
 */
export function safeName(name: string): string {
  const last = name.toWellFormed().normalize("NFC").split(/[/\\]/).at(-1) ?? "";
  const plain = last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/gu, "").replace(
    /[<>:"|?*`$;&'!~]/g,
    "_",
  )
    .replace(/\s+/g, " ").replace(/^[.\s-]+|[.\s]+$/g, "");
  return plain === "" ? "attachment" : shortened(plain, LONGEST);
}

/** The same name with a number in front of its ending: "a-2.csv". */
export function numberedName(name: string, n: number): string {
  const { stem, ending } = parts(name);
  return n <= 1 ? name : `${stem}-${n}${ending}`;
}

function shortened(name: string, most: number): string {
  const encoder = new TextEncoder();
  const { stem, ending } = parts(name);
  let room = most - encoder.encode(ending).length;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(stem)) {
    room -= encoder.encode(segment).length;
    if (room < 0) break;
    kept += segment;
  }
  return kept === "" ? `attachment${ending}` : `${kept.trimEnd()}${ending}`;
}

/** "data" and ".tar.gz" of "data.tar.gz"; an ending of more than 16 characters is none. */
function parts(name: string): { stem: string; ending: string } {
  const ending = /(\.tar)?\.[\p{L}\p{N}_+]{1,16}$/u.exec(name)?.[0] ?? "";
  return ending.length === name.length
    ? { stem: name, ending: "" }
    : { stem: name.slice(0, name.length - ending.length), ending };
}

import type { Said } from "./agent-session.ts";

/** Bytes of UTF-8 that Discord takes as one file, with room for the rest of the message. */
const MOST_BYTES = 9 * 1024 * 1024;

/** A conversation as a file for people: Markdown, the newest words where not all have room. */
export function exportTranscript(
  title: string,
  said: readonly Said[],
  now: number,
): { name: string; text: string } {
  const head = `# ${title.replace(/\s+/g, " ").trim()}\n\nExported ${stamp(now)}.\n`;
  const entries: string[] = [];
  let room = MOST_BYTES;
  for (const one of said.toReversed()) {
    const entry = `\n## ${one.role === "person" ? "Person" : "Agent"}, ${
      stamp(one.at)
    }\n\n${one.text.trim()}\n`;
    room -= new TextEncoder().encode(entry).length;
    if (room < 0) break;
    entries.unshift(entry);
  }
  const left = said.length - entries.length;
  const notice = left === 0 ? "" : `\n(${left} older entries have no room here.)\n`;
  const day = new Date(now).toISOString().slice(0, 10);
  return { name: `conversation-${day}.md`, text: head + notice + entries.join("") };
}

function stamp(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

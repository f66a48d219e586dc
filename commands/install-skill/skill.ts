import { createHash } from "node:crypto";
import page from "../../docs/sweep-file.md" with { type: "text" };
import template from "./skill.md.txt" with { type: "text" };

/** The part of the page that says what may be written; the rest is about what happens later. */
const FROM = "## The smallest file";
const TO = "## Changing the file";

/** SKILL.md. Its reference is the page of the docs that tests hold to the readers of the file. */
export function renderSkill(name: string): string {
  return sealed(template.replace("{{name}}", name).replace("{{reference}}", reference));
}

/** One level down, and without links to pages that are not there. */
function reference(): string {
  const part = page.slice(page.indexOf(`\n${FROM}\n`), page.indexOf(`\n${TO}\n`)).trim();
  return part.replace(/^##/gm, "###")
    .replace(/\[([^\]]+)\]\([\w.-]+\.md[^)]*\)/g, "$1 of herd's documentation");
}

const SEAL =
  /\n<!-- Made by "herd install-skill", sha256 of the lines above: ([0-9a-f]{64}) -->\n$/;

/** Ends with what tells an old skill of herd's own from one that somebody changed. */
function sealed(text: string): string {
  return `${text.trimEnd()}\n\n<!-- Made by "herd install-skill", sha256 of the lines above: ${
    hashOf(`${text.trimEnd()}\n`)
  } -->\n`;
}

/** Whether herd wrote this text, in this version or another, and nobody changed it since. */
export function isUntouched(text: string): boolean {
  const seal = SEAL.exec(text);
  return seal !== null && hashOf(text.slice(0, seal.index)) === seal[1];
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

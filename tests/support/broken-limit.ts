import { LIMITS } from "../../lib/discord/limits.ts";
import type { Outgoing } from "../../lib/discord/message.ts";

/** Which limit a message breaks, in words; undefined: none. */
export function brokenLimit(message: Outgoing): string | undefined {
  const over = (what: string, size: number, most: number) =>
    size > most ? `${what} has ${size}, allowed are ${most}` : undefined;
  const { content = "", embeds = [], rows = [], menus = [], files = [], nonce = "" } = message;
  const found = [
    over("content", content.length, LIMITS.content),
    over("embeds", embeds.length, LIMITS.embeds),
    over("rows", rows.length + menus.length, LIMITS.rows),
    ...menus.flatMap(({ id, placeholder, choices }) => [
      over("menu id", id.length, LIMITS.buttonId),
      over("placeholder", placeholder.length, LIMITS.menuPlaceholder),
      over("choices", choices.length, LIMITS.menuChoices),
      choices.length === 0 ? "menu is empty" : undefined,
      new Set(choices.map(({ value }) => value)).size < choices.length
        ? "a value is there twice"
        : undefined,
      choices.filter(({ chosen }) => chosen === true).length > 1 ? "two are chosen" : undefined,
      ...choices.flatMap(({ value, label, description = " " }) => [
        over("value", value.length, LIMITS.menuText),
        over("label", label.length, LIMITS.menuText),
        over("description", description.length, LIMITS.menuText),
        value === "" || label === "" || description === "" ? "a choice is empty" : undefined,
      ]),
    ]),
    over("files", files.length, LIMITS.files),
    over("nonce", nonce.length, LIMITS.nonce),
    over(
      "files' bytes",
      files.reduce((sum, { bytes }) => sum + bytes.length, 0),
      LIMITS.fileBytes,
    ),
    over(
      "all embeds' text",
      embeds.reduce((sum, one) => sum + embedSize(one), 0),
      LIMITS.embedTotal,
    ),
    ...embeds.flatMap((embed) => [
      over("embed title", embed.title?.length ?? 0, LIMITS.embedTitle),
      over("embed description", embed.description?.length ?? 0, LIMITS.embedDescription),
      over("embed footer", embed.footer?.length ?? 0, LIMITS.footer),
      over("embed fields", embed.fields?.length ?? 0, LIMITS.embedFields),
      ...(embed.fields ?? []).flatMap(({ name, value }) => [
        over("field name", name.length, LIMITS.fieldName),
        over("field value", value.length, LIMITS.fieldValue),
        name.trim() === "" ? "field name is empty" : undefined,
        value.trim() === "" ? "field value is empty" : undefined,
      ]),
    ]),
    ...rows.flatMap((row) => [
      over("row", row.length, LIMITS.buttonsInRow),
      row.length === 0 ? "row is empty" : undefined,
      ...row.flatMap(({ id, label, emoji }) => [
        over("button id", id.length, LIMITS.buttonId),
        over("button label", label.length, LIMITS.buttonLabel),
        label === "" && emoji === undefined ? "button has neither label nor emoji" : undefined,
      ]),
    ]),
    content.trim() === "" && embeds.length === 0 && files.length === 0
      ? "message is empty"
      : undefined,
  ];
  return found.find((one) => one !== undefined);
}

function embedSize(embed: NonNullable<Outgoing["embeds"]>[number]): number {
  const { title = "", description = "", footer = "", fields = [] } = embed;
  return title.length + description.length + footer.length +
    fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
}

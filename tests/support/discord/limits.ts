import { Refusal } from "./world.ts";

interface Body {
  content?: string | null;
  embeds?: Record<string, unknown>[];
  components?: { type: number; components: Record<string, unknown>[] }[];
  nonce?: string;
  sticker_ids?: unknown;
}

const text = (value: unknown) => typeof value === "string" ? [...value].length : 0;

/** What Discord does not take (code 50035), with its numbers; counted in code points as it does. */
export function checkMessage(
  body: Body,
  files: readonly { bytes: Uint8Array }[],
  { isEmptyAllowed = false } = {},
): void {
  const { content, embeds = [], components = [], nonce } = body;
  most("content", text(content), 2000);
  most("nonce", text(nonce), 25);
  most("embeds", embeds.length, 10);
  most("files", files.length, 10);
  for (const { bytes } of files) {
    if (bytes.length > 10 * 1024 * 1024) throw new Refusal(413, 40005, "Request entity too large");
  }
  let total = 0;
  for (const embed of embeds) {
    const fields = (embed["fields"] ?? []) as { name: string; value: string }[];
    const footer = (embed["footer"] as { text?: string } | undefined)?.text;
    most("embed title", text(embed["title"]), 256);
    most("embed description", text(embed["description"]), 4096);
    most("embed footer", text(footer), 2048);
    most("embed fields", fields.length, 25);
    total += text(embed["title"]) + text(embed["description"]) + text(footer);
    for (const { name, value } of fields) {
      if (text(name) === 0 || text(value) === 0) throw invalid("embed field", "may not be empty");
      most("field name", text(name), 256);
      most("field value", text(value), 1024);
      total += text(name) + text(value);
    }
  }
  most("all embeds", total, 6000);
  checkRows(components);
  const isEmpty = (content ?? "").trim() === "" && embeds.length === 0 && files.length === 0;
  if (isEmpty && !isEmptyAllowed) throw new Refusal(400, 50006, "Cannot send an empty message");
}

function checkRows(rows: NonNullable<Body["components"]>): void {
  most("rows", rows.length, 5);
  const ids = new Set<unknown>();
  for (const row of rows) {
    if (row.components.length === 0) throw invalid("components", "a row may not be empty");
    most("buttons", row.components.length, 5);
    const [menu] = row.components;
    if (menu?.["type"] === STRING_SELECT) {
      checkMenu(row.components, menu);
      if (ids.has(menu["custom_id"])) throw invalid("custom_id", "cannot be duplicated");
      ids.add(menu["custom_id"]);
      continue;
    }
    for (const { custom_id: id, label, emoji } of row.components) {
      most("custom_id", text(id), 100);
      most("label", text(label), 80);
      if (text(label) === 0 && emoji === undefined) {
        throw invalid("button", "needs a label or an emoji");
      }
      if (ids.has(id)) throw invalid("custom_id", "Component custom id cannot be duplicated");
      ids.add(id);
    }
  }
}

const STRING_SELECT = 3;

function checkMenu(row: readonly unknown[], menu: Record<string, unknown>): void {
  most("components of a row with a menu", row.length, 1);
  between("custom_id", text(menu["custom_id"]), 1, 100);
  most("placeholder", text(menu["placeholder"]), 150);
  const options = (menu["options"] ?? []) as Record<string, unknown>[];
  if (options.length < 1) throw invalid("options", "a menu may not be empty");
  most("options", options.length, 25);
  for (const { label, value, description } of options) {
    between("label", text(label), 1, 100);
    between("value", text(value), 1, 100);
    if (description !== undefined) between("description", text(description), 1, 100);
  }
  const values = new Set(options.map(({ value }) => value));
  if (values.size < options.length) throw invalid("options", "a value is there twice");
  if (options.filter((one) => one["default"] === true).length > 1) {
    throw invalid("options", "more than one is the default");
  }
}

const SUBCOMMAND = 1;

export function checkCommands(commands: readonly Record<string, unknown>[]): void {
  most("commands", commands.length, 100);
  checkNamed(commands);
}

function checkNamed(commands: readonly Record<string, unknown>[]): void {
  const names = new Set(commands.map(({ name }) => name));
  if (names.size !== commands.length) throw invalid("commands", "names must be unique");
  for (const { name, description, options = [] } of commands) {
    if (!/^[-_'\p{L}\p{N}]{1,32}$/u.test(`${name}`) || `${name}` !== `${name}`.toLowerCase()) {
      throw invalid("name", `${name} is no name of a command`);
    }
    between("description", text(description), 1, 100);
    most("options", (options as unknown[]).length, 25);
    const subcommands = (options as Record<string, unknown>[]).filter(({ type }) =>
      type === SUBCOMMAND
    );
    if (subcommands.length > 0) {
      if (subcommands.length < (options as unknown[]).length) {
        throw invalid("options", "subcommands and options exclude each other");
      }
      checkNamed(subcommands);
      continue;
    }
    let isOptional = false;
    for (const option of options as Record<string, unknown>[]) {
      between("option description", text(option["description"]), 1, 100);
      if (option["required"] === true && isOptional) {
        throw invalid("options", "Required options must be placed before non-required options");
      }
      isOptional ||= option["required"] !== true;
      const choices = (option["choices"] ?? []) as unknown[];
      most("choices", choices.length, 25);
      if (option["autocomplete"] === true && choices.length > 0) {
        throw invalid("options", "autocomplete and choices exclude each other");
      }
    }
  }
}

export function checkChoices(choices: readonly { name: string; value: unknown }[]): void {
  most("choices", choices.length, 25);
  for (const { name, value } of choices) {
    between("choice name", text(name), 1, 100);
    if (typeof value === "string") between("choice value", text(value), 1, 100);
  }
}

function most(what: string, found: number, allowed: number): void {
  if (found > allowed) throw invalid(what, `Must be ${allowed} or fewer in length: ${found}`);
}

function between(what: string, found: number, least: number, allowed: number): void {
  if (found < least || found > allowed) {
    throw invalid(what, `Must be between ${least} and ${allowed} in length: ${found}`);
  }
}

function invalid(what: string, why: string): Refusal {
  return new Refusal(400, 50035, `Invalid Form Body: ${what}: ${why}`);
}

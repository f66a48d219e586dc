import type { GatewayEvent, Interaction, OptionValue } from "./gateway-event.ts";
import { idOf, numberOf, type Raw, rawOf, rawsOf, textOf } from "./raw-json.ts";
import { readMember, readMessage } from "./read-message.ts";
import { timeOfId } from "./snowflake.ts";

const COMMAND = 2;
const COMPONENT = 3;
const COMPLETION = 4;
const FORM = 5;
const BUTTON = 2;
const STRING_SELECT = 3;
const SUBCOMMANDS = [1, 2];
const ATTACHMENT = 11;
const THREADS = [10, 11, 12];

type Common = Omit<Interaction, "kind">;

/** A command, a click, a filled form or a question for completions; none for what herd does not offer; undefined: unreadable. */
export function readInteraction(raw: Raw): readonly GatewayEvent[] | undefined {
  const type = numberOf(raw["type"]) ?? 0;
  if (![COMMAND, COMPONENT, COMPLETION, FORM].includes(type)) return [];
  const common = readCommon(raw);
  if (common === undefined) return undefined;
  const data = rawOf(raw["data"]);
  const component = numberOf(data["component_type"]);
  if (type === COMPONENT && component !== BUTTON && component !== STRING_SELECT) return [];
  // A form that no button opened is not of herd's.
  if (type === FORM && raw["message"] === undefined) return [];
  const interaction = type === COMPONENT || type === FORM
    ? readClick(common, raw, data)
    : readCommand(common, data, type === COMPLETION);
  return interaction && [{ type: "interaction", interaction }];
}

function readCommon(raw: Raw): Common | undefined {
  const id = idOf(raw["id"]);
  const token = textOf(raw["token"]);
  const applicationId = idOf(raw["application_id"]);
  const channel = rawOf(raw["channel"]);
  const channelId = idOf(raw["channel_id"]) ?? idOf(channel["id"]);
  const member = readMember(raw["member"], raw["user"]);
  if (
    id === undefined || token === undefined || token === "" || applicationId === undefined ||
    channelId === undefined || member === undefined
  ) return undefined;
  return {
    id,
    token,
    applicationId,
    channelId,
    member,
    guildId: idOf(raw["guild_id"]),
    parentId: THREADS.includes(numberOf(channel["type"]) ?? 0)
      ? idOf(channel["parent_id"])
      : undefined,
    at: timeOfId(id),
  };
}

function readClick(common: Common, raw: Raw, data: Raw): Interaction | undefined {
  const button = textOf(data["custom_id"]);
  const message = readMessage({ channel_id: common.channelId, ...rawOf(raw["message"]) });
  if (button === undefined || message === undefined) return undefined;
  const chosen = numberOf(data["component_type"]) === STRING_SELECT
    ? { values: wordsIn(data["values"]) }
    : {};
  const rows = rawsOf(data["components"]);
  const typed = rows.length === 0 ? {} : { fields: fieldsIn(rows) };
  return { ...common, kind: "button", button, ...chosen, ...typed, message };
}

/** Each field stands in a row, or in a label, of its own. */
function fieldsIn(rows: readonly Raw[]): Readonly<Record<string, string>> {
  const fields = rows.flatMap((row) => [...rawsOf(row["components"]), rawOf(row["component"])]);
  return Object.fromEntries(fields.flatMap((field) => {
    const id = textOf(field["custom_id"]);
    const value = textOf(field["value"]);
    return id === undefined || value === undefined ? [] : [[id, value]];
  }));
}

function wordsIn(values: unknown): readonly string[] {
  return Array.isArray(values) ? values.filter((one) => typeof one === "string") : [];
}

function readCommand(common: Common, data: Raw, completing: boolean): Interaction | undefined {
  const name = textOf(data["name"]);
  if (name === undefined) return undefined;
  const given = flat(data["options"]);
  const files = rawOf(rawOf(data["resolved"])["attachments"]);
  const options = Object.fromEntries(given.flatMap((option) => {
    const word = textOf(option["name"]);
    const value = valueOf(option, files);
    return word === undefined || value === undefined ? [] : [[word, value]];
  }));
  const word = textOf(
    rawsOf(data["options"]).find(({ type }) => SUBCOMMANDS.includes(numberOf(type) ?? 0))?.["name"],
  );
  const sub = word === undefined ? {} : { sub: word };
  if (!completing) return { ...common, kind: "command", name, ...sub, options };
  const typed = given.find((option) => option["focused"] === true);
  const option = textOf(typed?.["name"]);
  if (option === undefined) return undefined;
  const focused = { name: option, value: String(typed?.["value"] ?? "") };
  return { ...common, kind: "completion", name, ...sub, options, focused };
}

/** Options of a subcommand count as the command's own. */
function flat(options: unknown): readonly Raw[] {
  return rawsOf(options).flatMap((option) =>
    SUBCOMMANDS.includes(numberOf(option["type"]) ?? 0) ? flat(option["options"]) : [option]
  );
}

/** An attachment's value is where the file can be fetched; its id would say nothing without the rest. */
function valueOf(option: Raw, files: Raw): OptionValue | undefined {
  const { value } = option;
  if (option["type"] === ATTACHMENT) return textOf(rawOf(files[String(value)])["url"]);
  if (typeof value === "string" || typeof value === "boolean") return value;
  return numberOf(value);
}

/** What Discord sends of a slash command that a person typed; it lets nobody send what is not registered. */
export function commandData(
  registered: readonly Record<string, unknown>[],
  name: string,
  options: Readonly<Record<string, string | number | boolean>>,
): object {
  const [top, sub] = name.split(" ");
  const command = registered.find((one) => one["name"] === top);
  const children = (command?.["options"] ?? []) as Record<string, unknown>[];
  const leaf = sub === undefined ? command : children.find((one) => one["name"] === sub);
  if (command !== undefined && leaf === undefined) throw new Error(`There is no /${name}`);
  const known = leaf?.["options"] as Record<string, unknown>[] | undefined;
  const given = Object.entries(options).map(([key, value]) => {
    const option = (known ?? []).find((one) => one["name"] === key);
    if (command !== undefined && option === undefined) throw new Error(`/${name} has no "${key}"`);
    if (option !== undefined) check(name, option, value);
    return { name: key, type: option?.["type"] ?? guess(value), value };
  });
  for (const { name: key, required } of known ?? []) {
    if (required === true && !(`${key}` in options)) throw new Error(`/${name} needs "${key}"`);
  }
  return {
    id: "1",
    name: top,
    type: 1,
    options: sub === undefined ? given : [{ name: sub, type: 1, options: given }],
  };
}

const STRING = 3;
const INTEGER = 4;
const BOOLEAN = 5;

function guess(value: string | number | boolean): number {
  return typeof value === "number" ? INTEGER : typeof value === "boolean" ? BOOLEAN : STRING;
}

function check(
  name: string,
  option: Record<string, unknown>,
  value: string | number | boolean,
): void {
  const why = (what: string) => new Error(`/${name}: "${option["name"]}" ${what}: ${value}`);
  const type = option["type"];
  const isFree = ![STRING, INTEGER, BOOLEAN].includes(Number(type));
  if (!isFree && type !== guess(value)) throw why(`is of type ${type}`);
  const choices = option["choices"] as { value: unknown }[] | undefined;
  if (choices !== undefined && choices.length > 0 && option["autocomplete"] !== true) {
    if (!choices.some((one) => one.value === value)) throw why("is none of the choices");
  }
  const [least, most] = [option["min_value"], option["max_value"]];
  if (typeof value === "number" && typeof least === "number" && value < least) throw why("is less");
  if (typeof value === "number" && typeof most === "number" && value > most) throw why("is more");
  const longest = Number(option["max_length"] ?? 6_000);
  if (typeof value === "string" && [...value].length > longest) throw why("is too long");
}

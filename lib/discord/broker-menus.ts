import { createHash } from "node:crypto";
import { shorten } from "../base/markdown.ts";
import { visible } from "../base/width.ts";
import type { SessionOption } from "../chat/agent-session.ts";
import { encodeButton } from "./button-id.ts";
import { LIMITS } from "./limits.ts";
import type { Button, Menu, Outgoing } from "./message.ts";
import { ruleText } from "./safe-text.ts";

export type MenuKind = "models" | "agents";

export interface MenuPlace {
  kind: MenuKind;
  conversation: string;
  mark: string;
  /** Which page of which option is shown; others show their first. */
  option?: string;
  page?: number;
}

const NOTHING: Readonly<Record<MenuKind, string>> = {
  models: "This agent offers no models to choose from",
  agents: "This agent offers no modes or other choices",
};

/** The agent's options that belong to a command, with what can be chosen in each. */
export function optionsFor(
  kind: MenuKind,
  options: readonly SessionOption[],
): readonly SessionOption[] {
  return options.filter(({ category }) => (category === "model") === (kind === "models"))
    .filter(({ values }) => values.length > 0);
}

/** Menus of an agent's options; those with more than 25 values have pages. */
export function menuView(
  options: readonly SessionOption[],
  place: MenuPlace,
  said = "",
): Outgoing {
  const own = optionsFor(place.kind, options);
  if (own.length === 0) {
    const others = options.length === 0
      ? ""
      : place.kind === "models"
      ? "; `/agents` shows what else it offers"
      : "; `/models` shows its models";
    return { content: `${said}${NOTHING[place.kind]}${others}.`, menus: [], rows: [] };
  }
  const menus: Menu[] = [];
  const rows: Button[][] = [];
  for (const one of own) {
    const pages = pagesOf(one);
    const needed = pages.length > 1 ? 2 : 1;
    if (menus.length + rows.length + needed > LIMITS.rows) break;
    const isTurned = place.option === keyOf(one.id);
    const page = Math.min(Math.max(isTurned ? place.page ?? 0 : 0, 0), pages.length - 1);
    const menu = menuOf(one, pages[page]!, place);
    if (menu === undefined) continue;
    menus.push(menu);
    if (pages.length > 1) rows.push(turners(one, page, pages.length, place));
  }
  const left = own.length - menus.length;
  const lines = own.map((one) => `${ruleText(one.name)}: **${ruleText(currentName(one))}**`);
  return {
    content: [
      `${said}${lines.join(" · ")}`.slice(0, 1_500),
      ...(left === 0 ? [] : [`${left} more of its choices have no room here.`]),
    ].join("\n"),
    menus,
    rows,
  };
}

/** Undefined when the agent does not offer it any more. */
export function findChoice(
  options: readonly SessionOption[],
  option: string,
  value: string,
): { option: SessionOption; value: string; name: string } | undefined {
  const one = options.find(({ id }) => keyOf(id) === option);
  const chosen = one?.values.find((known) => valueKey(known.value) === value);
  return one === undefined || chosen === undefined
    ? undefined
    : { option: one, value: chosen.value, name: chosen.name };
}

/** The current one first, the others as the agent has them, each once. */
function pagesOf({ values, current }: SessionOption): SessionOption["values"][] {
  const known = [...new Map(values.map((one) => [one.value, one])).values()];
  const sorted = [
    ...known.filter(({ value }) => value === current),
    ...known.filter(({ value }) => value !== current),
  ];
  const pages: SessionOption["values"][] = [];
  for (let at = 0; at < sorted.length; at += LIMITS.menuChoices) {
    pages.push(sorted.slice(at, at + LIMITS.menuChoices));
  }
  return pages;
}

function menuOf(
  { id, name, current }: SessionOption,
  values: SessionOption["values"],
  { kind, conversation, mark }: MenuPlace,
): Menu | undefined {
  const menu = encodeButton({
    action: `pick-${kind}`,
    sweep: mark,
    args: [conversation, keyOf(id)],
  });
  return menu === undefined ? undefined : {
    id: menu,
    placeholder: shorten(visible(`Choose: ${name}`), LIMITS.menuPlaceholder),
    choices: values.map((one) => {
      const label = shorten(visible(one.name.trim() || one.value), LIMITS.menuText) || "?";
      const isSame = one.name === one.value || one.value === "";
      return {
        value: valueKey(one.value),
        label,
        ...(isSame ? {} : { description: shorten(visible(one.value), LIMITS.menuText) }),
        ...(one.value === current ? { chosen: true } : {}),
      };
    }),
  };
}

function turners(
  { id }: SessionOption,
  page: number,
  pages: number,
  { kind, conversation, mark }: MenuPlace,
): Button[] {
  const make = (label: string, to: number, action: string, disabled: boolean): Button => ({
    id: encodeButton({ action, sweep: mark, args: [conversation, keyOf(id), `${to}`] }) ??
      `${action}${label}`,
    label,
    style: "secondary",
    disabled,
  });
  return [
    make("◀", page - 1, `turn-${kind}`, page === 0),
    make(`${page + 1}/${pages}`, page, `turn-${kind}`, true),
    make("▶", page + 1, `turn-${kind}`, page === pages - 1),
  ];
}

function currentName({ current, values }: SessionOption): string {
  return shorten(
    values.find(({ value }) => value === current)?.name.trim() || current || "not told",
    100,
  );
}

/** Ids of agents may be long; the button has a hundred characters for all. */
function keyOf(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 8);
}

/** Discord takes 1 to 100 characters. */
function valueKey(value: string): string {
  const fits = value !== "" && value.length <= LIMITS.menuText && !value.startsWith("#");
  return fits ? value : `#${createHash("sha256").update(value).digest("hex").slice(0, 32)}`;
}

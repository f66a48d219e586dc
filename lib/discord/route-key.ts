/** Ids that Discord counts apart: each channel, server, webhook has limits of its own. */
const MAJOR = ["channels", "guilds", "webhooks"];

/**
 * What calls share a queue: those of one method and route, ids left out but for the major one.
 * Reactions are one, whoever's and whichever, because Discord limits them together.
 */
export function routeKey(method: string, route: string): string {
  const parts = route.split("?")[0]!.split("/").slice(1);
  const [first = "", id = "", token = ""] = parts;
  const major = MAJOR.includes(first) ? 2 : 0;
  if (parts.includes("reactions")) return `REACT /${first}/${id}`;
  if (first === "webhooks") return `${method} /webhooks/${id}/${token}${shape(parts.slice(3))}`;
  return `${method} ${parts.slice(0, major).map((part) => `/${part}`).join("")}${
    shape(parts.slice(major))
  }`;
}

/** The part of a key within which Discord's bucket names are unique. */
export function majorOf(route: string): string {
  const [first = "", id = "", token = ""] = route.split("?")[0]!.split("/").slice(1);
  if (!MAJOR.includes(first)) return "";
  return first === "webhooks" ? `${id}/${token}` : id;
}

function shape(parts: readonly string[]): string {
  return parts.map((part) => /^\d+$/.test(part) ? "/:id" : `/${part}`).join("");
}

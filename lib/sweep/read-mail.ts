import type { Resources } from "./config.ts";
import { missing, readFields, readItems, readText, whole, wrong } from "./fields.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const TYPES = [
  "NONE",
  "BEGIN",
  "END",
  "FAIL",
  "REQUEUE",
  "ALL",
  "INVALID_DEPEND",
  "STAGE_OUT",
  "TIME_LIMIT",
  "TIME_LIMIT_90",
  "TIME_LIMIT_80",
  "TIME_LIMIT_50",
  "ARRAY_TASKS",
];
/** Without a type SLURM sends nothing at all, whoever is to get it. */
const DEFAULT_TYPE = "END,FAIL";
const USER = /^[A-Za-z0-9_.+%-]+(@[A-Za-z0-9.-]+)?$/;

type Mail = Partial<Pick<Resources, "mailUser" | "mailType">>;

/** `mail: me@site.org`, or `{user, type}` with one or more of SLURM's types. */
export function readMail(node: Node, report: Report): Mail | undefined {
  if (node.kind === "scalar") {
    const user = readUser(node, report);
    return user === undefined ? undefined : { mailUser: user, mailType: DEFAULT_TYPE };
  }
  const fields = readFields(node, ["user", "type"], report);
  if (fields === undefined) return undefined;
  const userNode = fields.get("user")?.value;
  const typeNode = fields.get("type")?.value;
  if (userNode === undefined && typeNode === undefined) {
    return missing(node, "user", "an address, a type or both", report);
  }
  const user = userNode === undefined ? "none" : readUser(userNode, report);
  const type = typeNode === undefined ? DEFAULT_TYPE : readType(typeNode, report);
  if (user === undefined || type === undefined) return undefined;
  return userNode === undefined ? { mailType: type } : { mailUser: user, mailType: type };
}

function readUser(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined || (USER.test(text) && !text.startsWith("-"))) return text;
  return wrong(node, report, 'an address such as "me@site.org"');
}

function readType(node: Node, report: Report): string | undefined {
  const items = node.kind === "list" ? readItems(node, report, "types") : [node];
  const texts = whole((items ?? []).map((item) => readText(item, report)));
  if (texts === undefined) return undefined;
  const types = texts.flatMap((text) => text.split(",")).map((text) => text.trim().toUpperCase());
  if (types.length > 0 && types.every((type) => TYPES.includes(type))) return types.join(",");
  return wrong(node, report, `one or more of ${TYPES.join(", ")}`);
}

import { nearest } from "../base/text.ts";
import {
  type Fields,
  missing,
  quote,
  readChoice,
  readFields,
  readText,
  wrong,
} from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";
import { parseCron } from "./cron.ts";
import { isTimeZone } from "./cron-zone.ts";
import type { PoolSchedule } from "./pool-config.ts";
import { parseTaskText } from "./task-text.ts";
import type { Vocabulary } from "./wish-words.ts";

const KEYS = ["cron", "time_zone", "catch_up", "task"] as const;
const CATCH_UP = ["none", "last", "all"] as const;

/** By name; their tasks are read as they will be when they are due, workers apart. */
export function readPoolSchedules(
  node: Node,
  vocabulary: Vocabulary,
  report: Report,
): readonly PoolSchedule[] | undefined {
  if (node.kind !== "mapping") return wrong(node, report, "a mapping of names to schedules");
  return node.entries.map(({ key, at, value }) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(key)) {
      return report.mistake(
        at,
        `Cannot use ${quote(key)} as the name of a schedule: ` +
          "expected 1 to 64 letters, digits, dots, underscores and hyphens",
      );
    }
    return readSchedule(key, value, vocabulary, report);
  }).filter((one) => one !== undefined);
}

function readSchedule(
  name: string,
  node: Node,
  vocabulary: Vocabulary,
  report: Report,
): PoolSchedule | undefined {
  if (node.kind !== "mapping") return wrong(node, report, 'a mapping with "cron" and "task"');
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const cron = readCron(node, fields, report);
  const zoneNode = fields.get("time_zone")?.value;
  const timeZone = zoneNode === undefined ? "UTC" : readZone(zoneNode, report);
  const catchNode = fields.get("catch_up")?.value;
  const catchUp = catchNode === undefined ? "last" : readChoice(catchNode, CATCH_UP, report);
  const task = readTask(node, fields, vocabulary, report);
  if (cron === undefined || timeZone === undefined || catchUp === undefined) return undefined;
  return task === undefined ? undefined : { name, cron, timeZone, catchUp, task };
}

function readCron(owner: MappingNode, fields: Fields, report: Report): string | undefined {
  const node = fields.get("cron")?.value;
  if (node === undefined) return missing(owner, "cron", 'such as "30 2 * * *"', report);
  const text = readText(node, report);
  if (text === undefined) return undefined;
  const cron = parseCron(text);
  if (!("wrong" in cron)) return cron.text;
  return report.mistake(node, `Cannot read ${node.path}: ${cron.wrong}`, cron.hint);
}

function readZone(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined || isTimeZone(text)) return text;
  const near = nearest(text, Intl.supportedValuesOf("timeZone"));
  const hint = near === undefined ? undefined : `Did you mean "${near}"?`;
  return wrong(node, report, 'a time zone such as "Europe/Berlin" or "UTC"', hint);
}

function readTask(
  owner: MappingNode,
  fields: Fields,
  vocabulary: Vocabulary,
  report: Report,
): string | undefined {
  const node = fields.get("task")?.value;
  if (node === undefined) return missing(owner, "task", "what is to be done", report);
  if (node.kind !== "scalar") return wrong(node, report, "a text");
  const parsed = parseTaskText(node.text, {}, vocabulary);
  if ("wish" in parsed) {
    if (parsed.wish.key === undefined) return node.text;
    return report.mistake(
      node,
      `Cannot use a key in ${node.path}: every run of the schedule would be the same task`,
    );
  }
  for (const refused of parsed.refused) {
    report.mistake(node, refused.replace(/^Cannot read the/, `Cannot read ${node.path}: its`));
  }
  return undefined;
}

import { nearest } from "../base/text.ts";
import { missing, readItems, readText, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";
import type { CronJob, CronRules } from "./broker-config.ts";
import { CRON_DEFAULTS } from "./broker-defaults.ts";
import { readOneId } from "./read-ids.ts";
import { openSection, type Section } from "./section.ts";

const KEYS = ["jobs", "usercron_enabled", "usercron_path"] as const;
const JOB_KEYS = [
  "schedule",
  "channel",
  "message",
  "enabled",
  "platform",
  "sender_name",
  "timezone",
  "thread_id",
  "catch_up",
] as const;
const LONGEST_MESSAGE = 4000;

/** How schedules are read; the pool reads its own by the same. */
export interface CronReading {
  parse(text: string): { text: string } | { wrong: string; hint?: string | undefined };
  isTimeZone(name: string): boolean;
}

/** The section `cron`. */
export function readBrokerCron(
  node: Node | undefined,
  reading: CronReading,
  report: Report,
): CronRules {
  const section = openSection(node, KEYS, report);
  if (section === undefined) return { jobs: [], userFile: undefined };
  const jobs = section.read(
    "jobs",
    (value) =>
      readItems(value, report, 'jobs with "schedule", "channel" and "message"')
        ?.map((item) => readJob(item, reading, report)).filter((job) => job !== undefined),
    [],
  );
  return { jobs, userFile: readUserFile(section, report) };
}

function readUserFile(
  section: Section<typeof KEYS[number]>,
  report: Report,
): string | undefined {
  const isOn = section.yes("usercron_enabled", false);
  const path = section.text("usercron_path");
  const owner = section.fields.get("usercron_enabled");
  if (!isOn || owner === undefined) return undefined;
  return path ?? report.mistake(
    owner.value,
    `Cannot use ${owner.value.path} without "usercron_path", the file with the jobs`,
  );
}

/** Undefined also for one that is switched off. */
export function readJob(node: Node, reading: CronReading, report: Report): CronJob | undefined {
  if (node.kind !== "mapping") {
    return wrong(node, report, 'a mapping with "schedule", "channel" and "message"');
  }
  const section = openSection(node, JOB_KEYS, report);
  if (section === undefined) return undefined;
  const schedule = readSchedule(node, section, reading, report);
  const channel = section.at("channel");
  const channelId = channel === undefined
    ? missing(node, "channel", 'the id of a channel such as "1234567890123456789"', report)
    : readOneId(channel, "channel", report);
  const thread = section.at("thread_id");
  const isInThread = thread !== undefined && !(thread.kind === "scalar" && thread.text === "");
  const threadId = isInThread ? readOneId(thread, "channel", report) : undefined;
  const message = readMessage(node, section.at("message"), report);
  const timeZone = section.read("timezone", readZone(reading), CRON_DEFAULTS.timeZone);
  const sender = section.text("sender_name") ?? CRON_DEFAULTS.sender;
  const catchUp = section.choice("catch_up", ["none", "last"], CRON_DEFAULTS.catchUp);
  section.choice("platform", ["discord"], "discord");
  if (!section.yes("enabled", true)) return undefined;
  if (schedule === undefined || channelId === undefined || message === undefined) return undefined;
  return { schedule, timeZone, channelId, threadId, message, sender, catchUp };
}

function readSchedule(
  owner: MappingNode,
  section: Section<typeof JOB_KEYS[number]>,
  reading: CronReading,
  report: Report,
): string | undefined {
  const node = section.at("schedule");
  if (node === undefined) return missing(owner, "schedule", 'such as "30 2 * * *"', report);
  const text = section.text("schedule");
  if (text === undefined) return undefined;
  const cron = reading.parse(text);
  if (!("wrong" in cron)) return cron.text;
  return report.mistake(node, `Cannot read ${node.path}: ${cron.wrong}`, cron.hint);
}

/** What somebody might type: it may have several lines. */
function readMessage(
  owner: MappingNode,
  node: Node | undefined,
  report: Report,
): string | undefined {
  if (node === undefined) return missing(owner, "message", "what is asked", report);
  const text = node.kind === "scalar" ? node.text.trim() : "";
  return text !== "" && text.length <= LONGEST_MESSAGE && text.isWellFormed()
    ? text
    : wrong(node, report, `a text of at most ${LONGEST_MESSAGE} characters`);
}

function readZone({ isTimeZone }: CronReading) {
  return (node: Node, report: Report): string | undefined => {
    const text = readText(node, report);
    if (text === undefined || isTimeZone(text)) return text;
    const near = nearest(text, Intl.supportedValuesOf("timeZone"));
    const hint = near === undefined ? undefined : `Did you mean "${near}"?`;
    return wrong(node, report, 'a time zone such as "Europe/Berlin" or "UTC"', hint);
  };
}

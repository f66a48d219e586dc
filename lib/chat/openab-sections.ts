import { REACTION_DEFAULTS } from "./broker-defaults.ts";
import { hasVariable, type Taking } from "./openab-taking.ts";
import type { Tree } from "./openab-tree.ts";
import { emojiIn } from "./read-broker-shown.ts";

type Branch = { readonly [key: string]: Tree | undefined };
type Say = (text: string) => void;

const TIMINGS = ["debounce", "stall_soft", "stall_hard", "done_hold", "error_hold"];
/** OpenAB's default; herd's is "compact". */
const TOOL_DISPLAY = "full";

export function openabReactions(taking: Taking, say: Say): Branch {
  const emojis = taking.section("emojis");
  const timing = taking.section("timing");
  const signs = Object.keys(REACTION_DEFAULTS.emojis).map((name) => {
    const text = emojis.text(name);
    if (text === undefined) return [name, undefined] as const;
    // Some editors lose the joiner between the two halves of the technologist.
    const sign = emojiIn(text === "👨💻" ? "👨‍💻" : text);
    if (sign === undefined) say(`Left out reactions.emojis.${name}: it is not one emoji`);
    return [name, sign === REACTION_DEFAULTS.emojis[name as "queued"] ? undefined : sign] as const;
  });
  const range = { least: 0, most: 3_600_000 };
  const times = TIMINGS.map((name) => {
    const ms = timing.number(`${name}_ms`, range) ?? timing.number(name, range);
    return [`${name}_ms`, ms] as const;
  });
  return {
    enabled: taking.yes("enabled"),
    remove_after_reply: taking.yes("remove_after_reply"),
    tool_display: taking.text("tool_display") ?? TOOL_DISPLAY,
    emojis: Object.fromEntries(signs),
    timing: Object.fromEntries(times),
  };
}

/** A key is never copied. */
export function openabSpeech(taking: Taking, say: Say): Branch {
  const key = taking.text("api_key");
  const isOn = taking.yes("enabled");
  const literal = key !== undefined && !/^\$\{[A-Za-z_]\w*\}$/.test(key);
  if (literal && isOn === true) {
    say("Put the key of stt into the variable STT_API_KEY: keys are not copied");
  }
  const section = {
    enabled: isOn,
    model: taking.text("model"),
    base_url: taking.text("base_url"),
    api_key: literal ? undefined : key,
    api_key_env: literal ? "STT_API_KEY" : undefined,
    echo_transcript: taking.yes("echo_transcript"),
  };
  return isOn === true ? section : {};
}

/** Jobs stand in `[[cron.jobs]]` or in `[[cronjobs]]`. */
export function openabCron(taking: Taking, say: Say): Branch {
  const section = taking.section("cron");
  const jobs = [...section.list("jobs"), ...taking.list("cronjobs")]
    .map((job) => convertJob(job, say)).filter((job) => job !== undefined);
  const own = [section.yes("usercron_enabled"), taking.yes("usercron_enabled")].includes(true);
  const paths = [section.text("usercron_path"), taking.text("usercron_path")];
  const path = paths.find((one) => one !== undefined && one !== "");
  const all = jobs.length === 0 ? {} : { jobs };
  if (!own || path === undefined) return all;
  const file = userFile(path);
  say(`The user's cron file is read where OpenAB had it: ${file}`);
  return { ...all, usercron_enabled: true, usercron_path: file };
}

/** It begins in a folder of OpenAB's own. */
function userFile(path: string): string {
  return /^(\/|\$\{)/.test(path) ? path : `\${HOME}/.openab/${path}`;
}

function convertJob(job: Taking, say: Say): Branch | undefined {
  const platform = job.text("platform") ?? "discord";
  const message = job.text("message");
  const converted = {
    schedule: job.text("schedule"),
    channel: job.text("channel"),
    message,
    enabled: job.yes("enabled"),
    sender_name: job.text("sender_name") ?? "openab-cron",
    timezone: job.text("timezone"),
    thread_id: job.text("thread_id"),
  };
  if (platform !== "discord") {
    say("Left out a cron job of another platform than Discord");
    return undefined;
  }
  if (message !== undefined && hasVariable(message)) {
    say("A cron job's message has ${…} in it: herd leaves it as it is written there");
  }
  return converted;
}

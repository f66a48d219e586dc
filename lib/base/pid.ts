import { readFileSync } from "node:fs";

/**
 * Ticks since boot at which the process started, or undefined when there is no
 * such process (or it is a zombie). With the boot id this names a process for
 * ever, where a pid alone is used again. Linux: field 22 of /proc/PID/stat.
 */
export function processStart(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** Process group of a process; undefined when there is none. */
export function processGroup(pid: number): number | undefined {
  const group = statFields(pid)?.[2];
  return group === undefined ? undefined : Number(group);
}

/** Changes at every boot, so that pids of before are not believed. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "unknown";
  }
}

/** The fields after the command name, which may itself hold spaces and brackets. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

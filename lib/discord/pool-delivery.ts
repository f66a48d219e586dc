import type { Clock } from "../base/clock.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { Attempt } from "../tasks/task.ts";
import { visible } from "../base/width.ts";
import type { OutgoingFile } from "./message.ts";
import { bytesText, isShort } from "./pool-result-view.ts";
import type { Delivery } from "./pool-result-view.ts";
import { span } from "./pool-text.ts";

const MOST_FILES = 10;
const MOST_BYTES = 8 * 1024 * 1024;
/** What the worker writes for itself; of these only the log of a failure is worth a look. */
const OWN = ["RESULT.txt", "TASK.txt", "AGENTS.md"];
const LOG = "agent-output.log";
/** A file system that hangs does not keep results back. */
const FILE_MS = 20_000;

export const NOTHING: Delivery = { files: [], attached: [], left: undefined };

/** What of an attempt's files goes beside its post: the whole result when it is long, then what it made. */
export async function deliveryOf(
  task: string,
  attempt: Attempt | undefined,
  { desk, clock }: { desk: Pick<PoolDesk, "file">; clock: Clock },
): Promise<Delivery> {
  const { report, epoch } = attempt ?? {};
  if (report === undefined || epoch === undefined) return NOTHING;
  const read = (path: string) => orNothing(() => desk.file(task, epoch, path), clock);
  const files: OutgoingFile[] = [];
  const attached: string[] = [];
  const left: string[] = [];
  let bytes = 0;
  const isFull = (more: number) => files.length >= MOST_FILES || bytes + more > MOST_BYTES;
  const add = (name: string, content: Uint8Array) => {
    files.push({ name: freeName(name, files), bytes: content, contentType: typeOf(name) });
    bytes += content.length;
  };

  const whole = report.files.find(({ path }) => path === "RESULT.txt");
  const isCut = whole !== undefined && whole.bytes > byteLength(report.result);
  if (isCut || !isShort(report.result)) {
    const isHuge = isCut && isFull(whole.bytes);
    const content = isCut && !isHuge ? await read("RESULT.txt") : undefined;
    add("RESULT.md", content ?? new TextEncoder().encode(report.result).subarray(0, MOST_BYTES));
    if (content !== undefined) attached.push("RESULT.txt");
    else if (isCut) {
      left.push(
        `the result is cut${isHuge ? ": it is too large for Discord" : ""}; all of it is in ${
          span(`${report.folder}/RESULT.txt`, 200)
        }`,
      );
    }
  }
  let skipped = 0;
  for (const { path, bytes: size } of report.files) {
    if (OWN.includes(path) || (path === LOG && report.end === "done")) continue;
    const content = isFull(size) ? undefined : await read(path);
    // What it has grown to since may be too much as well.
    if (content === undefined || isFull(content.length)) skipped++;
    else {
      add(path, content);
      attached.push(path);
    }
  }
  if (skipped > 0) {
    left.push(
      `${skipped === 1 ? "one file is" : `${skipped} files are`} not attached: Discord takes ` +
        `${MOST_FILES} files of ${bytesText(MOST_BYTES)} together, of those that can be read`,
    );
  }
  return { files, attached, left: left.length === 0 ? undefined : left.join("; ") };
}

async function orNothing(
  read: () => Promise<Uint8Array | undefined>,
  clock: Clock,
): Promise<Uint8Array | undefined> {
  const over = new AbortController();
  try {
    const late = clock.sleep(FILE_MS, over.signal).then(() => undefined, () => undefined);
    return await Promise.race([read(), late]);
  } catch {
    return undefined;
  } finally {
    over.abort();
  }
}

/** A path as a name that Discord shows as it is, and no other file of the post has. */
function freeName(path: string, files: readonly OutgoingFile[]): string {
  const plain = visible(path).replace(/[^\p{L}\p{N}._-]+/gu, "_").replace(/^[._]+/, "");
  const name = plain.slice(-80) || "file";
  for (let n = 1;; n++) {
    const free = n === 1 ? name : `${n}-${name}`;
    if (!files.some((one) => one.name === free)) return free;
  }
}

function typeOf(name: string): string {
  const image = /\.(png|jpe?g|gif|webp)$/i.exec(name)?.[1]?.toLowerCase();
  if (image !== undefined) return `image/${image === "jpg" ? "jpeg" : image}`;
  return /\.(txt|md|log|csv|json|ya?ml|py|ts|sh|diff|patch)$/i.test(name)
    ? "text/plain; charset=utf-8"
    : "application/octet-stream";
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

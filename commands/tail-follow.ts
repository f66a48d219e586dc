import { EXIT } from "../lib/base/exit-codes.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { LogFollower } from "../lib/daemon/logs.ts";
import { viewOf } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";
import { say } from "./open.ts";
import { transitionLine } from "./progress-lines.ts";
import { header, safely } from "./tail-show.ts";
import type { Stream, TailContext } from "./tail-show.ts";

/** A call of stat for each stream. */
const POLL_MS = 300;
/** The job's own record is read this often; it tells of most ends at once. */
const RECORD_MS = 1_500;
/** And then the cluster is asked to say so too, which may lag behind. */
const CONFIRM_MS = 3_000;
/** What is written on another computer is fetched this often. */
const FETCH_MS = 3_000;
/** The cluster is asked this often, for ends that no record tells of. */
const LOOK_MS = 30_000;
/** A network file system may show a job's last lines after its end. */
const QUIET_POLLS = 3;

interface Following {
  index: number;
  from: readonly (Stream & { fromByte: number })[];
  /** The stream whose header was printed last. */
  shown: Stream | undefined;
  /** Whether what was printed last ends a line. */
  ends: boolean;
}

/** Shows what is written to the logs until the trial has ended; throws the abort's reason on Ctrl-C. */
export async function followLogs(
  context: TailContext,
  outside: Outside,
  following: Following,
): Promise<number> {
  const { clock, signal, out } = context;
  const { createLogFollower } = await import("../lib/daemon/logs.ts");
  const followers = following.from.map((stream) => ({
    stream,
    log: createLogFollower(stream.path, stream.fromByte),
  }));
  const printer = createPrinter(context, following);
  const ending = createEnding(context, outside, following.index);
  try {
    let ended = await ending.check();
    for (let quiet = 0; ended === undefined || quiet < QUIET_POLLS;) {
      const news = printNews(followers, printer);
      quiet = news ? 0 : quiet + 1;
      if (quiet > 0) await clock.sleep(POLL_MS, signal);
      else signal.throwIfAborted();
      ended ??= await ending.check();
    }
    printer.endLine();
    out.printError(transitionLine({ paint: out.errorPaint }, ended));
    return EXIT.done;
  } finally {
    for (const { log } of followers) log.close();
  }
}

function printNews(
  followers: readonly { stream: Stream; log: LogFollower }[],
  printer: ReturnType<typeof createPrinter>,
): boolean {
  let any = false;
  for (const { stream, log } of followers) {
    const { text, restarted } = log.read();
    if (restarted) printer.restarted(stream);
    if (text === "") continue;
    printer.print(stream, text);
    any = true;
  }
  return any;
}

/** Keeps the streams apart: a header where the stream changes, and no line is continued by another's. */
function createPrinter(context: TailContext, following: Following) {
  const { out } = context;
  let { shown, ends } = following;
  const named = following.from.length > 1;

  function endLine(): void {
    if (!ends) out.write("\n");
    ends = true;
  }

  return {
    endLine,
    restarted(stream: Stream): void {
      endLine();
      say(out, `${stream.path} was replaced or cut; it is shown from its start`);
    },
    print(stream: Stream, text: string): void {
      if (named && shown?.name !== stream.name) {
        endLine();
        out.write(header(context, stream, shown === undefined));
        shown = stream;
      }
      out.write(safely(context, text));
      ends = text.endsWith("\n");
    },
  };
}

/** Finds out that the trial has ended, mostly without asking the cluster. */
function createEnding({ clock, out }: TailContext, outside: Outside, index: number) {
  let view: TrialView | undefined;
  let looked = -Infinity;
  let recorded = -Infinity;
  let fetched = clock.now();
  let warned = "";

  async function look(): Promise<void> {
    looked = clock.now();
    const { state, warnings } = await outside.look();
    const trial = state.trials.get(index);
    view = trial === undefined ? undefined : viewOf(state, trial);
    const warning = warnings.join("; ");
    if (warning !== "" && warning !== warned) say(out, warning);
    warned = warning;
  }

  /** Whether the job itself has written that it is over. */
  function isOver(): boolean {
    recorded = clock.now();
    const attempt = view?.attempt;
    if (attempt === undefined) return true;
    const [record] = outside.readRecords([attempt]).values();
    return record?.endedAt !== undefined;
  }

  return {
    /** The trial as it ended; undefined while it may still write. */
    async check(): Promise<TrialView | undefined> {
      if (clock.now() - fetched >= FETCH_MS) {
        await outside.fetch();
        fetched = clock.now();
      }
      const now = clock.now();
      const due = now - looked >= LOOK_MS ||
        (now - looked >= CONFIRM_MS && now - recorded >= RECORD_MS && isOver());
      if (due) await look();
      if (view === undefined) return undefined;
      return view.attempt === undefined || view.attempt.phase === "ended" ? view : undefined;
    },
  };
}

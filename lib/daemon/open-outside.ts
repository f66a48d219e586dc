import type { Parts } from "../actions/parts.ts";
import { createPerform } from "../actions/perform.ts";
import type { Perform } from "../actions/perform.ts";
import { observe, silences } from "../actions/observe.ts";
import { RefusedError, UserError } from "../base/errors.ts";
import { codeOf, readIfThere } from "../base/files.ts";
import { type Runner, runProcess } from "../base/process.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import { createAudit } from "../store/audit.ts";
import { carryOver } from "../store/carry-over.ts";
import type { CarryOver } from "../store/carry-over.ts";
import { readDotenv } from "../store/dotenv.ts";
import type { Dotenv } from "../store/dotenv.ts";
import { readHyperHerdFiles } from "../store/hyperherd-files.ts";
import type { HyperHerdFiles } from "../store/hyperherd-files.ts";
import { openJournal } from "../store/journal.ts";
import type { Journal } from "../store/journal.ts";
import { isOutOfSpace } from "../store/disk-error.ts";
import { judgeHome, readHome } from "../store/home.ts";
import type { Standing } from "../store/home.ts";
import { acquireLease, requireLease, STALE_MS } from "../store/lease.ts";
import type { Lease } from "../store/lease.ts";
import { describeHolder } from "../store/lease-holder.ts";
import type { Holder } from "../store/lease-holder.ts";
import { refuseUnreadable } from "../store/unreadable.ts";
import { createState, findWorkspace, isOwn } from "../store/workspace.ts";
import { homesOfLive } from "../sweep/live-homes.ts";
import { isMonitors } from "../sweep/monitor-state.ts";
import { placeOfLive } from "../sweep/place-of-live.ts";
import { apply, fromPlain, toPlain } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { isOpen, transitions } from "../sweep/transition.ts";
import { userName } from "../base/user-name.ts";
import { audited } from "./audited.ts";
import { createComposer } from "./compose.ts";
import { createElsewhere } from "./elsewhere.ts";
import { createFault } from "./fault.ts";
import { writeFilesForPeople } from "./files-for-people.ts";
import { SWEEP_FOLD } from "./fold.ts";
import { newNonce } from "./nonce.ts";
import { createSchedulers } from "./schedulers.ts";
import { readSweepFile } from "./sweep-file.ts";
import type { SweepFile } from "./sweep-file.ts";
import { isForeign, refuseForeign, standingNote } from "./standing.ts";
import { unwrittenParts } from "./unwritten.ts";
import { createWorkspaceFiles } from "./workspace-files.ts";
import type { ChangeOptions, Outside, OutsideRequest, Remote, View } from "./outside.ts";
import { refuseDamage } from "./refuse-damage.ts";

/** How long a command waits for another one; one that was killed on another machine is outlasted. */
const LEASE_WAIT_MS = STALE_MS + 30_000;

const SETTLE_MS = 30_000;

/** So long a command that only shows files waits for those of another computer. */
const FETCH_MS = 30_000;

/** A read-only command gives another writer this long before it shows without remembering. */
const POLITE_WAIT_MS = 250;

/** Backstop for pauses and prunes where the YAML cannot be read. */
const DEFAULT_GRACE_SECONDS = 600;

/** Opens a workspace for a command. Writes nothing until something changes. */
export function openOutside(request: OutsideRequest): Outside {
  const { env, clock, signal } = request;
  const paths = findWorkspace(request.workspace);
  refuseUnreadable(paths);
  const journal = openJournal({
    path: paths.journal,
    snapshot: paths.snapshot,
    fold: SWEEP_FOLD,
    clock,
  });
  const near = createWorkspaceFiles(paths);
  const fault = createFault(env);
  const self = request.by ?? `cli:${userName()}`;
  const audit = createAudit({ path: paths.agentLog });
  const elsewhere = createElsewhere({
    request,
    paths,
    sweep: readSweep,
    dotenv: () => dotenv().values,
    live: () => placeOfLive(journal.state),
    adopts: () => adopts,
    announced,
  });
  const schedulers = createSchedulers({
    env,
    clock,
    spool: paths.local,
    supervisor: [...request.self, "local-supervisor"],
    slots: slotsOf,
    far: () => elsewhere.side()?.scheduler,
    run: announced(runProcess),
  });
  const scheduler = schedulers.named;
  let inheritance: { found: HyperHerdFiles; carried: CarryOver } | undefined;
  let sweep: SweepFile | undefined;
  let secrets: Dotenv | undefined;
  let moveTold = false;
  /** The user's word that this folder is the one that submitted its jobs. */
  const adopts = env["HERD_ADOPT"] === "1";

  function announced(run: Runner): Runner {
    return async (...call) => {
      const answered = request.onAsk?.();
      try {
        return await run(...call);
      } finally {
        answered?.();
      }
    };
  }

  /** A copy's spool holds the original's jobs: whatever waits there must not be started. */
  function watchingScheduler(name: "slurm" | "local"): Scheduler {
    if (name === "slurm" || !isForeign(standing())) return scheduler(name);
    return schedulers.watchingLocal();
  }

  function standing(): Standing {
    return judgeHome(homesOfLive(journal.state), paths);
  }

  /** Undefined where there is nothing to say, or it was said. */
  function tellStanding(): string[] {
    const found = standing();
    const note = found.kind === "moved" && moveTold ? undefined : standingNote(found);
    return note === undefined ? [] : [note];
  }

  function slotsOf(): number | undefined {
    try {
      return readSweep().config.local.slots;
    } catch {
      return undefined;
    }
  }

  /** Only what submits needs it: whoever may not read it can still look at the sweep. */
  function dotenv(): Dotenv {
    secrets ??= readDotenv(paths.env);
    return secrets;
  }

  function readSweep(): SweepFile {
    sweep ??= elsewhere.asked(readSweepFile(paths.config));
    return sweep;
  }

  /** What HyperHerd left, until it is herd's. */
  function inherit(): void {
    const found = journal.seq === 0 ? readHyperHerdFiles(paths) : undefined;
    inheritance = found && { found, carried: carryOver(found, inheritedJobName()) };
  }

  /** Undefined where the YAML cannot be read: then it can be shown, and not taken over. */
  function inheritedJobName(): string | undefined {
    try {
      return `hyperherd_${readSweep().config.name}`;
    } catch {
      return undefined;
    }
  }

  function assertTakeable(): void {
    if (!adopts) refuseForeign(standing());
    if (inheritance === undefined || journal.seq > 0) return;
    refuseDamage(inheritance.found, paths.manifest);
    // By the sweep's name its jobs are told from others that got their ids.
    readSweep();
  }

  function graceSeconds(): number {
    try {
      return readSweep().config.pruneGraceSeconds;
    } catch {
      // A broken YAML must not keep `herd status` or `herd stop` from working.
      return DEFAULT_GRACE_SECONDS;
    }
  }

  const composeHere = createComposer({
    paths,
    environment: env,
    dotenv: () => dotenv().values,
    herd: request.self.length === 1 ? request.self[0] : undefined,
  });
  const compose: Parts["compose"] = (job) => elsewhere.composer(job)?.(job) ?? composeHere(job);

  function partsUnder(lease: Lease, by: string): Parts {
    const append: Parts["append"] = (whats, who) => {
      if (whats.length > 0) journal.append(whats, { by: who ?? by, at: clock.now(), lease });
    };
    return { ...partsBeside(), state: () => journal.state, append };
  }

  function partsBeside(): Omit<Parts, "state" | "append"> {
    return {
      assertWhole: journal.assertWhole,
      scheduler,
      place: elsewhere.place,
      files: elsewhere.telling(near),
      compose,
      clock,
      newNonce,
      fault,
      signal,
    };
  }

  /** Takes over what HyperHerd left, at the first change and never twice. */
  function takeOver(parts: Parts): void {
    if (inheritance === undefined || journal.seq > 0) return;
    // HyperHerd may have gone on writing since.
    inherit();
    assertTakeable();
    parts.append(inheritance.carried.happenings);
  }

  function adopt(parts: Parts): void {
    const found = standing();
    const here = readHome(paths);
    if (!adopts || here === undefined || !isForeign(found)) return;
    const text = `The jobs submitted so far are taken for those of "${here.path}"`;
    parts.append([{ type: "noted", text, inode: here.inode }]);
    const twice = found.kind === "copy" && found.original
      ? `; "${found.of}" is still there, so use only one of the two`
      : "";
    request.onWarning(text + twice);
  }

  async function change<T>(
    purpose: string,
    act: (perform: Perform, parts: Parts) => Promise<T>,
    { unwritten = false, by = self, here = false }: ChangeOptions = {},
  ): Promise<T> {
    assertTakeable();
    const remote = here ? undefined : await request.findRemote?.(paths);
    if (remote !== undefined) return await changeThere(remote, act);
    try {
      createState(paths);
      const lease = await requireLease({
        dir: paths.lease,
        clock,
        waitMs: LEASE_WAIT_MS,
        purpose,
        signal,
        onWaiting: tellWaiting,
      });
      const done = await underLease(lease, by, (perform, parts) => {
        if (standing().kind === "moved") tellStanding().forEach(request.onWarning);
        moveTold = true;
        return act(perform, parts);
      });
      if (request.settles === true) await settle();
      return done;
    } catch (error) {
      if (!unwritten || !isOutOfSpace(error)) throw error;
      return await actUnwritten(act, error as Error);
    }
  }

  /** Jobs that run read what they are told there; what is done is done all the same. */
  async function settle(): Promise<void> {
    try {
      await elsewhere.settle(AbortSignal.any([signal, AbortSignal.timeout(SETTLE_MS)]));
    } catch (error) {
      request.onWarning(
        `${(error as Error).message}; the jobs are told by the next command that can`,
      );
    }
  }

  /** The daemon writes; what it wrote is read before and after. */
  async function changeThere<T>(
    { perform }: Remote,
    act: (perform: Perform, parts: Parts) => Promise<T>,
  ): Promise<T> {
    journal.refresh();
    const append: Parts["append"] = () => {
      throw new Error("Only the daemon writes while it holds the sweep");
    };
    try {
      return await act(perform, { ...partsBeside(), state: () => journal.state, append });
    } finally {
      journal.refresh();
    }
  }

  function tellWaiting(holder: Holder): void {
    request.onWaiting?.(`The workspace is held by ${describeHolder(holder)}; waiting for it`);
  }

  async function actUnwritten<T>(
    act: (perform: Perform, parts: Parts) => Promise<T>,
    why: Error,
  ): Promise<T> {
    request.onWarning(
      `${why.message}; the jobs are told all the same, and that is not written down: ` +
        "`herd status` finds out how they ended when there is space again",
    );
    journal.refresh();
    const state = copyOf(journal);
    const parts = unwrittenParts(partsBeside(), state, (what) => {
      apply(state, { v: 1, seq: state.seq + 1, at: clock.now(), by: self, what });
    });
    return await act(createPerform(parts), parts);
  }

  async function underLease<T>(
    lease: Lease,
    by: string,
    act: (perform: Perform, parts: Parts) => Promise<T>,
  ): Promise<T> {
    try {
      journal.refresh();
      const parts = partsUnder(lease, by);
      takeOver(parts);
      adopt(parts);
      const before = journal.seq;
      try {
        return await act(audited(createPerform(parts), { audit, clock, by }), parts);
      } finally {
        tellPeople(journal.since(before).some(({ what }) => !isMonitors(what)));
      }
    } finally {
      lease.release();
    }
  }

  /** The journal holds what was done; files that are made of it must not hide that it was. */
  function tellPeople(changed: boolean): void {
    try {
      if (!changed && readIfThere(paths.manifest) !== undefined) return;
      writeFilesForPeople(paths, journal.state);
    } catch (error) {
      if (!(error instanceof UserError) && codeOf(error) === undefined) throw error;
      request.onWarning(`${(error as Error).message}; the next command that can writes it again`);
    }
  }

  async function fetch(): Promise<void> {
    if (elsewhere.host() === undefined) return;
    try {
      const isLive = [...journal.state.attempts.values()].some(isOpen);
      if (!isLive) return await elsewhere.catchUp(signal);
      // A daemon that holds the sweep fetches by itself.
      if (await request.findRemote?.(paths) !== undefined) return;
      const limited = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]);
      await elsewhere.side()?.mirror.pull({ signal: limited });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      request.onWarning(`${error.message}; this is what was fetched before`);
    }
  }

  function wishHost(host: string, how: { isKept: boolean }): void {
    if (how.isKept) createState(paths);
    elsewhere.wish(host, how);
    sweep = undefined;
  }

  async function look(): Promise<View> {
    await elsewhere.catchUp(signal).catch((error: Error) => request.onWarning(error.message));
    const lease = await leaseForLook();
    if (lease === undefined) return await lookWithoutMemory();
    try {
      return await underLease(lease, self, async (perform) => {
        const result = await perform({ verb: "look", graceSeconds: graceSeconds() });
        if (!result.done) throw new Error("A look is never refused");
        const { observations, warnings } = result;
        return {
          state: journal.state,
          observations,
          warnings: [...tellStanding(), ...warnings],
        };
      });
    } catch (error) {
      // A full disk, a journal that a newer herd writes, a lease that was lost: to see needs none of them.
      const known = error instanceof UserError || error instanceof RefusedError;
      if (!known && !isOutOfSpace(error)) throw error;
      const view = await lookWithoutMemory();
      return {
        ...view,
        warnings: [...view.warnings, `Nothing is remembered: ${(error as Error).message}`],
      };
    }
  }

  /** Undefined when this command may only watch: a writer is at work, or the files are not ours. */
  async function leaseForLook(): Promise<Lease | undefined> {
    if (journal.seq === 0 && inheritance === undefined) return undefined;
    if (!isOwn(paths)) return undefined;
    try {
      assertTakeable();
      createState(paths);
      const lease = await acquireLease({
        dir: paths.lease,
        clock,
        waitMs: POLITE_WAIT_MS,
        purpose: "look",
        signal,
      });
      return "heldBy" in lease ? undefined : lease;
    } catch {
      // Somebody else's files, a read-only or a full disk: what is seen is shown and not remembered.
      signal.throwIfAborted();
      return undefined;
    }
  }

  async function lookWithoutMemory(): Promise<View> {
    journal.refresh();
    const state = copyOf(journal);
    let seq = state.seq;
    const observations = await observe(state, {
      scheduler: watchingScheduler,
      readRecords: near.readRecords,
    });
    for (const observation of observations) {
      const changes = transitions(state, observation);
      if (changes.length === 0) continue;
      const what = { type: "attempts-changed" as const, changes };
      apply(state, { v: 1, seq: ++seq, at: clock.now(), by: self, what });
    }
    return { state, observations, warnings: [...tellStanding(), ...silences(observations)] };
  }

  function copyOf(source: Journal<SweepState>): SweepState {
    const state = fromPlain(structuredClone(toPlain(source.state)));
    if (source.seq > 0 || inheritance === undefined) return state;
    for (const what of inheritance.carried.happenings) {
      apply(state, { v: 1, seq: state.seq + 1, at: clock.now(), by: self, what });
    }
    return state;
  }

  inherit();
  return {
    paths,
    environment: env,
    notices: () => [...journal.notices, ...inheritance?.carried.notices ?? []],
    sweep: readSweep,
    state: () => journal.seq > 0 || inheritance === undefined ? journal.state : copyOf(journal),
    fetch,
    look,
    watch: lookWithoutMemory,
    assertTakeable,
    standing: () => adopts ? { kind: "home" } : standing(),
    change,
    reread() {
      sweep = undefined;
      secrets = undefined;
    },
    events: (after) => journal.since(after),
    onEvent: journal.onAppend,
    refresh: () => void journal.refresh(),
    tellWaiting,
    scheduler,
    host: elsewhere.host,
    mirror: () => elsewhere.side()?.mirror,
    close: elsewhere.close,
    heardAt: elsewhere.heardAt,
    wishHost,
    async moveTo(host) {
      wishHost(host, { isKept: false });
      await elsewhere.prove(signal);
      wishHost(host, { isKept: true });
    },
    graceSeconds,
    readRecords: near.readRecords,
    compose,
    newNonce,
    dotenv,
  };
}

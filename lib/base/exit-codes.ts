/** What the program says with its exit code. Scripts rely on these: change none, add at the end. */
export const EXIT = {
  done: 0,
  negative: 1,
  mistake: 2,
  refused: 3,
  unreachable: 4,
  rejected: 5,
  prune: 10,
  pause: 11,
  unexpected: 70,
  interrupted: 130,
  brokenPipe: 141,
  terminated: 143,
} as const;

export const EXIT_MEANINGS: readonly { code: number; meaning: string }[] = [
  { code: EXIT.done, meaning: "Done, or nothing needed doing" },
  {
    code: EXIT.negative,
    meaning: "Ran, but the answer is no: nothing matched, or a trial failed under --wait",
  },
  {
    code: EXIT.mistake,
    meaning: "A mistake you can mend: command line, configuration, file, permission, quota",
  },
  { code: EXIT.refused, meaning: "Understood and declined, such as running a live trial again" },
  {
    code: EXIT.unreachable,
    meaning: "The scheduler did not answer or was not understood: try later",
  },
  { code: EXIT.rejected, meaning: "The scheduler said no, such as an unknown partition" },
  { code: EXIT.prune, meaning: "From `herd log --step`: the trial is to be pruned, so end it" },
  {
    code: EXIT.pause,
    meaning: "From `herd log --step`: the trial is to pause: save a checkpoint and end",
  },
  { code: EXIT.unexpected, meaning: "A bug in this program; the log has the details" },
  { code: EXIT.interrupted, meaning: "Interrupted by Ctrl-C" },
  { code: EXIT.brokenPipe, meaning: "Whoever read the output stopped reading" },
  { code: EXIT.terminated, meaning: "Ended by SIGTERM or SIGHUP" },
];

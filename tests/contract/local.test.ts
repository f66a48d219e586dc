import { createLocalBench, localSubmitter } from "../support/local-scheduler.ts";
import { schedulerContract } from "./scheduler.ts";

// As many slots as the throttle cases need, whatever machine this is.
schedulerContract("local", () => {
  const { scheduler, spool, workdir, cleanup } = createLocalBench(16);
  return Promise.resolve({
    scheduler,
    workdir,
    cleanup,
    submitter: [...localSubmitter, spool],
    timing: { limitSeconds: 3, signalSeconds: 2 },
  });
});

/** deno task demo: from a fresh checkout to a finished sweep, on this machine and without SLURM. */
import { compile, isStale } from "./compile.ts";
import { ensureInstalled, outputOf, ROOT, run } from "./setup.ts";

const HERD = `${ROOT}herd`;
const SWEEP = "demo-sweep";
/** Says that the folder is ours to delete the next time. */
const MARK = ".made-by-deno-task-demo";

async function freshSweep(): Promise<void> {
  const folder = `${ROOT}${SWEEP}`;
  const there = await exists(folder);
  if (there && !await exists(`${folder}/${MARK}`)) {
    throw new Error(`Cannot make ${SWEEP}/: it is there and not the demo's; move it away`);
  }
  // A demo that was stopped may still have trials running in the old folder.
  if (there && await exists(`${folder}/.hyperherd`)) {
    await run([HERD, "stop", SWEEP, "--all"], { quiet: true });
  }
  if (there) await Deno.remove(folder, { recursive: true });
  await copy(`${ROOT}example`, folder);
  await Deno.writeTextFile(`${folder}/${MARK}`, "");
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (name === "__pycache__" || name === ".hyperherd") continue;
    if (isDirectory) await copy(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** A demo asks nothing and spends nothing: nobody types, and no model is called. */
const ALONE = {
  unattended: true,
  env: { ANTHROPIC_API_KEY: "", ANTHROPIC_AUTH_TOKEN: "" },
};

/** Says the line, runs it, and ends the demo when it fails. */
async function show(...words: string[]): Promise<void> {
  console.log(`\n$ ./herd ${words.join(" ")}`);
  const code = await run([HERD, ...words], ALONE);
  if (code !== 0) {
    console.error(`The demo ends here: herd ${words[0]} ended with exit code ${code}`);
    Deno.exit(code);
  }
}

async function demo(): Promise<void> {
  if (await outputOf(["python3", "-c", "print(1)"]) === undefined) {
    throw new Error("Cannot run the demo: its trainer needs python3 on the PATH");
  }
  await ensureInstalled();
  if (await isStale()) {
    console.log("Compiling ./herd ...");
    await compile();
  }
  await freshSweep();
  await show("monitor", SWEEP);
  await show("res", SWEEP, "--best");
  console.log(`
That was ${SWEEP}/hyperherd.yaml, run as processes of this machine. Nobody was asked anything, because
a demo has to run by itself: in a terminal of yours \`herd monitor\` listens to what you type. Try next:

  ./herd status ${SWEEP}          what became of every trial
  ./herd stats ${SWEEP}           time and memory that they used
  ./herd tail ${SWEEP} 0          what trial 0 printed
  ./herd res ${SWEEP}             the results as a table, ready for a spreadsheet
  edit ${SWEEP}/hyperherd.yaml, then ./herd monitor ${SWEEP}: only what is new runs
  ./herd init my-sweep            a sweep of your own
  ./herd help                     everything else`);
}

if (import.meta.main) {
  // Ctrl-C is for herd, which ends well; this script then ends with its exit code.
  Deno.addSignalListener("SIGINT", () => {});
  try {
    await demo();
    Deno.exit(0);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}

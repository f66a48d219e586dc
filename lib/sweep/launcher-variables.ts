/** bash sets these itself, or the job's script and SLURM do. */
const GIVEN =
  /^(_|BASH\w*|COLUMNS|DIRSTACK|EPOCH\w+|EUID|FUNCNAME|GROUPS|HOSTNAME|HOSTTYPE|IFS|LINENO|LINES|MACHTYPE|OLDPWD|OPTARG|OPTIND|OSTYPE|PIPESTATUS|PPID|PS[0-4]|PWD|RANDOM|REPLY|SECONDS|SHELLOPTS|SHLVL|SRANDOM|UID|(HERD|HYPERHERD|SLURM|SLURMD|SBATCH|PMI|PMIX)_\w+)$/;

/** How a variable is set: `X=…`, `X+=…`, `for X in`, `read X`, `mapfile X`, and so on. */
const SETS =
  /(?<![\w$.{-])([A-Za-z_]\w*)\+?=("[^"]*"|[^\s;&|]*)|\b(?:for|read|mapfile|readarray|local|declare|typeset|getopts)((?:\s+(?:-\w+|[A-Za-z_]\w*))+)/g;

/**
 * Names of the variables whose values a shell script takes from its environment:
 * those that it expands (`$X`, `${X…}`) before it sets them itself. A guess from
 * the text, made for a note to a person and nothing else.
 */
export function variablesRead(script: string): string[] {
  const text = script.replace(/(^|\s)#.*$/gm, "$1");
  const setAt = firstSettings(text);
  const read = new Set<string>();
  for (const { 1: name, index } of text.matchAll(/(?<!\\)\$(?:\{[#!]?)?([A-Za-z_]\w*)/g)) {
    if (GIVEN.test(name!)) continue;
    if (index < (setAt.get(name!) ?? Infinity)) read.add(name!);
  }
  return [...read];
}

/** From where on a variable has the script's own value: behind what it is first set to. */
function firstSettings(text: string): Map<string, number> {
  const setAt = new Map<string, number>();
  for (const found of text.matchAll(SETS)) {
    const [whole, assigned, , list] = found;
    const end = found.index + whole.length;
    const names = assigned === undefined ? list!.trim().split(/\s+/) : [assigned];
    for (const name of names) if (!setAt.has(name)) setAt.set(name, end);
  }
  return setAt;
}

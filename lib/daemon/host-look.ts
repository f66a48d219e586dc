import type { Finding } from "../base/finding.ts";

/** What a login node has of what herd needs; pure. */
export interface HostLook {
  shell: string | undefined;
  home: string;
  /** Such as `Linux x86_64`. */
  system: string | undefined;
  /** Such as `slurm 22.05.8`; undefined without SLURM. */
  slurm: string | undefined;
  /** Seconds by which its clock is before ours. */
  ahead: number | undefined;
  /** Whether find is GNU's, which alone lists what has changed. */
  gnuFind: boolean;
  /** What herd there says of itself. */
  herd: string | undefined;
}

/** Prints what it is asked, a line each; what is missing is an empty line. */
export const LOOK = 'printf "%s\\n" "$SHELL"; uname -sm; date +%s; ' +
  "{ sbatch --version 2>/dev/null || echo; } | head -n 1; " +
  "{ find --version 2>/dev/null || echo; } | head -n 1";

/** `middle`: our clock when it was asked, milliseconds since the epoch. */
export function readLook(
  output: string,
  { home, middle, herd }: { home: string; middle: number; herd: string | undefined },
): HostLook {
  const [shell, system, date, slurm, find] = output.split("\n").map((line) => line || undefined);
  const seconds = /^\d+$/.test(date ?? "") ? Number(date) : undefined;
  return {
    ...{ shell, home, system, slurm, herd },
    // A date has whole seconds: on the average half a one has passed since.
    ahead: seconds === undefined ? undefined : Math.round(seconds + 0.5 - middle / 1000),
    gnuFind: /GNU findutils/.test(find ?? ""),
  };
}

/** Jobs' clocks are compared with the login node's, not with ours; people compare them with ours. */
const FAR_APART_S = 5;

export function hostLookFindings(look: HostLook, name: string): Finding[] {
  const { shell, home, system, slurm, ahead, gnuFind, herd } = look;
  const area = "Programs";
  return [
    { area, mark: "good", message: `${system ?? "system"}, shell ${shell}, home ${home}` },
    slurm === undefined
      ? {
        ...{ area, mark: "doubt", message: "There is no sbatch in the PATH of a login shell" },
        mend: "Set PATH, or load the module, in ~/.profile or ~/.bash_profile there",
      }
      : { area, mark: "good", message: slurm },
    ahead !== undefined && Math.abs(ahead) <= FAR_APART_S
      ? { area, mark: "good", message: "Its clock agrees with the one here" }
      : {
        ...{ area, mark: "doubt", message: clockText(ahead) },
        mend: "herd compares times of one machine only; people who read logs do not",
      },
    gnuFind ? { area, mark: "good", message: "find is GNU's" } : {
      ...{ area, mark: "doubt", message: "find there is not GNU's" },
      mend: "Sweeps with slurm.host need it; a herd that runs there does not",
    },
    herd === undefined
      ? {
        ...{ area, mark: "doubt", message: "herd is not installed there" },
        mend: `Only \`herd --host\` and \`herd tunnel\` need it: herd deploy ${name}`,
      }
      : { area, mark: "good", message: herd },
  ];
}

function clockText(ahead: number | undefined): string {
  if (ahead === undefined) return "It does not tell the time";
  return `Its clock is ${Math.abs(ahead)} s ${ahead > 0 ? "ahead of" : "behind"} the one here`;
}

/** How benches show what they measured. */

/** Milliseconds, many times: the middle and the 95th percentile. */
export function report(what: string, values: readonly number[], aim: string): void {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN);
  console.log(
    `${what.padEnd(45)}median ${at(0.5)} ms, 95th percentile ${
      at(0.95)
    } ms over ${sorted.length} (${aim})`,
  );
}

/** What a process has used of the processor in seconds, and what it holds of the memory. */
export async function cost(pid: number): Promise<{ cpu: number; megabytes: number }> {
  const stat = (await Deno.readTextFile(`/proc/${pid}/stat`)).replace(/^.*\) /, "").split(" ");
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return {
    cpu: (Number(stat[11]) + Number(stat[12])) / 100,
    megabytes: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
  };
}

import type { Raised } from "./raised.ts";

/** The words of PyTorch (CUDA, HIP), CUDA itself, CuPy, TensorFlow and JAX. */
const GPU: readonly RegExp[] = [
  /\b(CUDA|HIP|XPU|MPS backend) out of memory\b/i,
  /\b(CUDA|HIP) error: ?out of memory\b/i,
  /\bcuda runtime error ?\(2\)/i,
  /\b(cudaErrorMemoryAllocation|CUDA_ERROR_OUT_OF_MEMORY|hipErrorOutOfMemory|hipErrorMemoryAllocation)\b/,
  /\b(CUBLAS|CUDNN|HIPBLAS|ROCBLAS|CUSOLVER|CUSPARSE)_STATUS_(ALLOC_FAILED|MEMORY_ERROR)\b/i,
  /\bOOM when allocating tensor\b/,
  /\bRESOURCE_?EXHAUSTED\b[\s\S]{0,200}\b(allocat|out of memory)/i,
  /\bran out of memory trying to allocate\b/i,
  /\bfailed to allocate [\d.]+\S* .*\bfrom device\b/i,
];

/** Types that mean the GPU whatever their message says. */
const GPU_TYPE = /(^|\.)(torch|cuda|cupy\b.*|hip)\.OutOfMemoryError$|^cupy\..*OutOfMemoryError$/;

/** The words of Python, NumPy, PyTorch's host allocator, R, the kernel and SLURM. */
const HOST: readonly RegExp[] = [
  /DefaultCPUAllocator: (can't|not enough|could not) /i,
  /\bCannot allocate memory\b/i,
  /\bcannot allocate vector of size\b/i,
  /\bis killed by signal: Killed\b/,
];
const HOST_TYPE = /(^|\.)_?(Array)?MemoryError$/;

/** What SLURM's own daemon and the kernel write when they kill for memory; nothing else of theirs counts. */
const KILLED_FOR_MEMORY =
  /^slurmstepd: error: .*\b(oom[-_ ]?kill|OOM Killed|exceeded (job|step) memory limit)|^(\[[\d. ]+\] )?oom-kill:|^(\[[\d. ]+\] )?Out of memory: Kill(ed)? process\b/i;
/** The shell's word on a process that ended by signal 9. */
const KILLED = /(^|\s|\d\s+)Killed(\s|$)/;

/** Whether this error is the GPU's lack of memory. */
export function isGpuMemory({ type, message, more }: Raised): boolean {
  if (GPU_TYPE.test(type)) return true;
  const said = `${type}: ${message}`;
  if (GPU.some((one) => one.test(said))) return true;
  // TensorFlow and JAX say it some lines below the exception's name.
  return /ResourceExhausted|XlaRuntimeError|InternalError|system_error|RuntimeError|\bUnavailable/
    .test(type) &&
    more.slice(0, 30).some((line) => GPU.some((one) => one.test(line)));
}

/** Whether this error is the node's lack of memory. A C++ `bad_alloc` may be a wrong size as well. */
export function isHostMemory({ type, message, more }: Raised): boolean {
  if (HOST_TYPE.test(type)) return true;
  const text = [message, ...more.slice(0, 3)].join("\n");
  return HOST.some((one) => one.test(text));
}

/** Whether a log tells of a kill for memory without an error of the program's own. */
export function wasKilledForMemory(
  lines: readonly string[],
  { signal, exitCode }: { signal: string | undefined; exitCode: number | undefined },
): boolean {
  const last = lines.slice(-60);
  if (last.some((line) => KILLED_FOR_MEMORY.test(line))) return true;
  const byNine = signal === "KILL" || exitCode === 137;
  return byNine && last.some((line) => KILLED.test(line));
}

/** A line about the GPU's memory at the very end of a log that shows no error of a known form. */
export function gpuMemoryLine(lines: readonly string[]): string | undefined {
  return lines.filter((line) => line.trim() !== "").slice(-15)
    .findLast((line) => GPU.some((one) => one.test(line)));
}

/** What jobs need of a login shell to work as they do when started by hand. Never a token, never a key. */
const PASSED = new Set([
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "PATH",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "LD_LIBRARY_PATH",
  "LIBRARY_PATH",
  "CPATH",
  "MANPATH",
  "PKG_CONFIG_PATH",
  "PYTHONPATH",
  "PYTHONHOME",
  "PYTHONUNBUFFERED",
  "PYTHONUSERBASE",
  "VIRTUAL_ENV",
  "R_HOME",
  "R_LIBS",
  "R_LIBS_USER",
  "JULIA_DEPOT_PATH",
  "JULIA_PROJECT",
  "MODULEPATH",
  "MODULESHOME",
  "MODULES_CMD",
  "LOADEDMODULES",
  "_LMFILES_",
  "BASH_ENV",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "REQUESTS_CA_BUNDLE",
  "KRB5CCNAME",
]);

const PASSED_PREFIXES = [
  "LC_",
  "XDG_",
  "CONDA_",
  "MAMBA_",
  "_CE_",
  "LMOD_",
  "__LMOD_",
  "__MODULES_",
  "BASH_FUNC_",
  "CUDA_",
  "NVIDIA_",
  "ROCM_",
  "HIP_",
  "OMP_",
  "MKL_",
  "NCCL_",
  // Settings only: what mpirun or srun tells a rank (OMPI_COMM_WORLD_RANK, PMIX_RANK, PMIX_SERVER_URI2)
  // would send the trials of a herd that runs inside a job to the servers of that job.
  "OMPI_MCA_",
  "I_MPI_",
  "UCX_",
  "PMIX_MCA_",
  "TORCH_",
  "PYTORCH_",
  "HF_HOME",
  "HF_HUB_CACHE",
  "HF_DATASETS_CACHE",
  "APPTAINER_",
  "SINGULARITY_",
  "EBROOT",
  "EBVERSION",
  "EB_",
  "SPACK_",
  "GUIX_",
];

/** A name that looks like a secret stays here even when its prefix is passed (CONDA_TOKEN, APPTAINER_DOCKER_PASSWORD). */
const SECRET = /(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)/i;

/** Of the login session: on another machine, and after the logout, there is no such folder. */
const SESSION = /^XDG_(RUNTIME_DIR|SESSION_|SEAT|VTNR)/;

/**
 * The whole environment that a job may see: an explicit list, where sbatch by
 * default hands over everything, bot tokens and keys included. `further` are the
 * names that the user lists under `slurm: export:`.
 */
export function jobEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  further: readonly string[],
): Record<string, string> {
  const listed = new Set(further);
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (listed.has(name) || isPassed(name)) passed[name] = value;
  }
  return passed;
}

function isPassed(name: string): boolean {
  if (SECRET.test(name) || SESSION.test(name)) return false;
  return PASSED.has(name) || PASSED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

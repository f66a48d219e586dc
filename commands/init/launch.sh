#!/bin/bash
# Starts one trial. herd calls it with the trial's overrides:
#   $1        all of them in one string:  "experiment_name=lr-0.001 lr=0.001 epochs=100"
#   "${@:2}"  one by one:                 experiment_name=lr-0.001 lr=0.001 epochs=100
# One by one is the better way: values with spaces, quotes or brackets arrive whole. herd passes
# them so only to a launcher whose text holds "@:2"; any other one gets $1 alone, as from HyperHerd.
#
# Environment: HYPERHERD_WORKSPACE (this sweep's folder), HYPERHERD_SWEEP_NAME,
# HYPERHERD_TRIAL_ID, HYPERHERD_TRIAL_NAME, HERD_ATTEMPT (1, 2, ...), HERD_BIN (for `herd log`).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# What the trainer needs before it starts, for example:
#   module load cuda/12.4
#   source .venv/bin/activate
#   source "$HOME/miniconda3/etc/profile.d/conda.sh" && conda activate my-env
# (conda's scripts use variables that are not set: put `set +u` before and `set -u` after.)

# exec: the trainer takes the shell's place, so that it gets the signals itself. SIGTERM comes
# when the trial is cancelled, preempted or out of time, and the signal that slurm.signal names
# before that. Write a checkpoint then, and exit with a code that is not 0: 0 means finished.
exec python train.py "${@:2}"

# In a container. --bind makes the results of the trial land in this folder:
#   exec apptainer exec --nv --bind "$HYPERHERD_WORKSPACE:$HYPERHERD_WORKSPACE" image.sif \
#     python train.py "${@:2}"

# In a conda environment, without activating it:
#   exec conda run --no-capture-output -n my-env python train.py "${@:2}"

# As HyperHerd did it: split at spaces, so no value may hold one.
#   OVERRIDES="$1"
#   exec python train.py $OVERRIDES

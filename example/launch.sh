#!/bin/bash
# Starts one trial. herd calls it with every override in one string and then, since "@:2" occurs here, one by one:
#   launch.sh "experiment_name=lr-0.01 learning_rate=0.01" experiment_name=lr-0.01 learning_rate=0.01
# The one-by-one form needs no unquoting, so values with spaces stay whole.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# exec: the trainer takes this shell's place and gets the signals of the scheduler itself.
exec "${PYTHON:-python3}" "$here/train.py" "${@:2}"

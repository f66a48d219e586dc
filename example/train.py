"""Trains a small network on waveform.csv: the trainer of herd's bundled example.

Plain Python (3.6 or newer), nothing to install. It shows what a trainer does to get the
most out of herd: read the overrides, log a metric per epoch, write a checkpoint that
survives a kill at any moment, go on from it, and leave in an orderly way when told to.

By hand:  python3 train.py learning_rate=0.01 hidden=8 epochs=5

Exit codes
    0   finished; or herd paused or pruned the trial and the checkpoint is written
    2   the overrides make no sense
    75  SIGTERM or SIGUSR1 came (time limit near, cancelled, preempted): the checkpoint is
        written and the same command goes on from it. It is not 0 because the trial is
        not finished, and a scheduler takes 0 for finished.
    1   a bug, with a traceback
"""

import json
import math
import os
import random
import signal
import sys

from chaos import Chaos, check_chaos
from herd_results import TrialPruned, assert_writable, log_result, parse_overrides
from model import accuracy, forward, new_model, read_data, train_on

HERE = os.path.dirname(os.path.abspath(__file__))
UNFINISHED = 75

DEFAULTS = {
    "experiment_name": "by-hand",
    "learning_rate": 0.01,
    "hidden": 24,  # units of the hidden layer; 0 is logistic regression
    "momentum": 0.0,
    "decay": 0.0001,
    "warmup": 0,  # epochs during which the learning rate grows to its value
    "epochs": 40,
    "seed": 1,
    "fresh": False,  # true: begin anew even if there is a checkpoint
    "chaos": "none",  # see chaos.py
    "chaos_trials": "all",
    "chaos_epoch": 3,
    "chaos_runs": 0,
    "chaos_mem": 1024,
}
# A checkpoint of a run that differs in one of these is another trial's.
SHAPING = ("learning_rate", "hidden", "momentum", "decay", "warmup", "seed")


class Interrupted(Exception):
    """A signal asked for the end."""


def main():
    try:
        options = read_options(sys.argv[1:])
    except ValueError as error:
        sys.stderr.write("Cannot train: %s\n" % error)
        return 2
    in_trial = "HYPERHERD_TRIAL_ID" in os.environ
    if in_trial:
        assert_writable()
    folder = checkpoint_folder(options["experiment_name"])
    requested = []
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda received, frame: requested.append(received))
    chaos = Chaos(options, count_run(folder))
    path = os.path.join(folder, "checkpoint.json")
    train_rows, test_rows = read_data(os.path.join(HERE, "waveform.csv"))
    state = None if options["fresh"] else load(path, options)
    if state is None:
        state = begin(options, len(train_rows[0][0]))
        say("beginning with %s" % describe(options))
    else:
        say("going on after epoch %d, row %d" % (state["epoch"], state["row"]))
    try:
        while state["epoch"] < options["epochs"]:
            train_epoch(state, train_rows, options, chaos, requested)
            finish_epoch(state, len(train_rows), test_rows, options, in_trial)
            save(path, state, options)
            chaos.slow_down(lambda: requested)
    except TrialPruned as asked:
        save(path, state, options)
        say("%s: checkpoint of epoch %d written" % (asked, state["epoch"]))
        return 0
    except Interrupted as asked:
        save(path, state, options)
        say("%s: checkpoint of epoch %d, row %d written" % (asked, state["epoch"], state["row"]))
        return UNFINISHED
    log_result("accuracy", state["accuracy"], strict=in_trial)
    log_result("best_accuracy", state["best"], strict=in_trial)
    log_result("loss", state["loss"], strict=in_trial)
    say("done: accuracy=%r best_accuracy=%r" % (state["accuracy"], state["best"]))
    return 0


def train_epoch(state, rows, options, chaos, requested):
    """Trains on every row once, from the row where the last run was interrupted."""
    epoch = state["epoch"] + 1
    # The order depends on the seed and the epoch alone, so a resumed run takes the same one.
    order = list(range(len(rows)))
    random.Random(options["seed"] * 1000003 + epoch).shuffle(order)
    rate = options["learning_rate"]
    if epoch <= options["warmup"]:
        rate *= epoch / float(options["warmup"] + 1)
    while state["row"] < len(order):
        if requested:
            raise Interrupted(signal.Signals(requested[0]).name)
        if epoch == chaos.epoch and state["row"] == len(order) // 2:
            chaos.strike(state["model"])
        features, label = rows[order[state["row"]]]
        state["sum"] += train_on(
            state["model"], features, label, rate, options["momentum"], options["decay"]
        )
        state["row"] += 1


def finish_epoch(state, row_count, test_rows, options, in_trial):
    state["epoch"] += 1
    state["row"] = 0
    train_loss, state["sum"] = state["sum"] / row_count, 0.0
    state["accuracy"] = accuracy(state["model"], test_rows)
    state["best"] = max(state["best"], state["accuracy"])
    state["loss"] = test_loss(state["model"], test_rows)
    epoch = state["epoch"]
    say(
        "epoch %d/%d train_loss=%.6f val_loss=%.6f val_accuracy=%.4f"
        % (epoch, options["epochs"], train_loss, state["loss"], state["accuracy"])
    )
    asked = None
    values = (("train_loss", train_loss), ("val_loss", state["loss"]))
    for name, value in values + (("val_accuracy", state["accuracy"]),):
        # Log all of the epoch before leaving, or the metric that decides could be the missing one.
        try:
            log_result(name, value, step=epoch, strict=in_trial)
        except TrialPruned as pruned:
            asked = pruned
    if asked is not None and epoch < options["epochs"]:
        raise asked


def test_loss(model, rows):
    total = 0.0
    for features, label in rows:
        total -= math.log(max(forward(model["layers"], features)[1][label], 1e-300))
    return total / len(rows)


def begin(options, inputs):
    return {
        "epoch": 0,  # epochs done
        "row": 0,  # rows done of the next one
        "sum": 0.0,  # their losses
        "accuracy": 0.0,
        "best": 0.0,
        "loss": math.inf,
        "model": new_model(inputs, options["hidden"], 3, options["seed"]),
    }


# --- checkpoints ----------------------------------------------------------------------------


def checkpoint_folder(name):
    workspace = os.environ.get("HYPERHERD_WORKSPACE") or os.getcwd()
    folder = os.path.join(workspace, "checkpoints", name)
    os.makedirs(folder, exist_ok=True)
    return folder


def count_run(folder):
    """1 in a trial's first run, then 2, ..."""
    with open(os.path.join(folder, "runs"), "a+") as file:
        file.write("%d\n" % os.getpid())
        file.seek(0)
        return len(file.readlines())


def save(path, state, options):
    """Replaces the checkpoint as a whole: a kill at any moment leaves the old one or the new one."""
    temporary = "%s.%d.tmp" % (path, os.getpid())
    with open(temporary, "w") as file:
        json.dump({"options": {key: options[key] for key in SHAPING}, "state": state}, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)


def load(path, options):
    """The state to go on from; None without a checkpoint that fits."""
    try:
        with open(path) as file:
            saved = json.load(file)
        differing = [key for key in SHAPING if saved["options"].get(key) != options[key]]
        state = saved["state"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        say("cannot read the checkpoint, beginning anew: %s" % error)
        return None
    if differing:
        say("the checkpoint is of a run with another %s, beginning anew" % ", ".join(differing))
        return None
    return state


# --- options --------------------------------------------------------------------------------


def read_options(arguments):
    given = parse_overrides(arguments)
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise ValueError("unknown: %s; known are %s" % (", ".join(unknown), ", ".join(DEFAULTS)))
    options = dict(DEFAULTS)
    options.update(given)
    for name in ("hidden", "warmup", "epochs", "seed"):
        if not isinstance(options[name], int) or options[name] < 0:
            raise ValueError("%s=%s: a whole number is wanted" % (name, options[name]))
    for name in ("learning_rate", "momentum", "decay"):
        if not isinstance(options[name], (int, float)):
            raise ValueError("%s=%s: a number is wanted" % (name, options[name]))
    if os.path.basename(str(options["experiment_name"])) != options["experiment_name"]:
        raise ValueError("experiment_name=%s: a folder's name is wanted" % options["experiment_name"])
    check_chaos(options)
    return options


def describe(options):
    return " ".join("%s=%s" % (key, options[key]) for key in SHAPING)


def say(text):
    # Not print(..., end): one write per line keeps lines whole when streams are shared.
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

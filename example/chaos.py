"""Trouble on request, so that you can see what herd does about it. A real trainer has no such file.

    chaos=MODE          none | oom | hang | crash | nan | exit:N | signal:NAME | slow:SECONDS | ignore-term
    chaos_trials=3,5-7  only in these trials (by default in all)
    chaos_epoch=3       when: in the middle of this epoch
    chaos_runs=1        only in a trial's first N runs, so that a repeated trial ends well (0: always)
    chaos_mem=1024      MiB that oom takes at most, for machines where nothing stops it
"""

import math
import os
import signal
import sys
import time

MODES = ("none", "oom", "hang", "crash", "nan", "exit", "signal", "slow", "ignore-term")
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Chaos(object):
    def __init__(self, options, run):
        self.mode, self.argument = check_chaos(options)
        self.epoch = int(options["chaos_epoch"])
        self.memory = int(options["chaos_mem"])
        runs = int(options["chaos_runs"])
        if not chosen(options["chaos_trials"]) or (runs > 0 and run > runs):
            self.mode = "none"
        if self.mode == "ignore-term":
            for number in ENDING_SIGNALS:
                signal.signal(number, signal.SIG_IGN)

    def strike(self, model):
        """In the middle of the chosen epoch."""
        if self.mode == "oom":
            take_memory(self.memory)
        elif self.mode == "hang":
            hang()
        elif self.mode == "ignore-term":
            sleep_for_ever()
        elif self.mode == "crash":
            raise RuntimeError("chaos=crash: this is the crash that was asked for")
        elif self.mode == "nan":
            model["layers"][-1][0][-1] = math.nan
        elif self.mode == "exit":
            sys.exit(int(self.argument))
        elif self.mode == "signal":
            os.kill(os.getpid(), getattr(signal, "SIG" + self.argument))

    def slow_down(self, stopping):
        """After every epoch; ends early when the trial shall stop."""
        if self.mode != "slow":
            return
        end = time.monotonic() + float(self.argument)
        while not stopping() and time.monotonic() < end:
            time.sleep(min(0.05, max(0.0, end - time.monotonic())))


def check_chaos(options):
    """The mode and its argument, or ValueError that says what would be right."""
    chosen(options["chaos_trials"])
    for name in ("chaos_epoch", "chaos_runs", "chaos_mem"):
        int(options[name])
    mode, _, argument = str(options["chaos"]).partition(":")
    argument = argument.upper().replace("SIG", "") if mode == "signal" else argument
    fine = {
        "exit": argument.isdigit() and int(argument) <= 255,
        "signal": isinstance(getattr(signal, "SIG" + argument, None), signal.Signals),
        "slow": argument.replace(".", "", 1).isdigit(),
    }
    if mode not in MODES or not fine.get(mode, argument == ""):
        raise ValueError(
            "chaos=%s is not known; allowed are none, oom, hang, crash, nan, exit:N (0 to 255), "
            "signal:NAME (such as signal:KILL), slow:SECONDS and ignore-term"
            % (mode + (":" + argument if argument else ""))
        )
    return mode, argument


def chosen(trials):
    """Whether this trial is among `trials`: "all", 3, "3,5-7" or [3, 5]."""
    if trials in ("all", None, ""):
        return True
    index = os.environ.get("HYPERHERD_TRIAL_ID", "0")
    parts = trials if isinstance(trials, list) else str(trials).split(",")
    for part in parts:
        first, _, last = str(part).partition("-")
        if int(first) <= int(index) <= int(last or first):
            return True
    return False


def take_memory(most):
    """Takes memory and writes to every page, as fast as it can, until something stops it."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    held = []
    for _ in range(most // 16):
        held.append(b"\xff" * (16 << 20))
    # Whoever limits memory by looking now and then should get to see it.
    time.sleep(30)
    raise MemoryError("chaos=oom: %d MiB were taken and nothing stopped it" % (16 * len(held)))


def hang():
    """Like a deadlock in native code: no output, no checkpoint, and Python handles no signal."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    sleep_for_ever()


def sleep_for_ever():
    while True:
        time.sleep(3600)

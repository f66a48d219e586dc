"""Talks to herd from a training script. Needs nothing but Python 3.6 or newer.

    from herd_results import TrialPruned, log_result, parse_overrides

    params = parse_overrides()                    # {"lr": 0.001, "layers": [64, 64], ...}
    try:
        for epoch in range(1, params["epochs"] + 1):
            log_result("val_loss", train(params), step=epoch)    # one point of a curve
    except TrialPruned as signal:                 # herd says: stop here
        save_checkpoint()
        raise SystemExit(0)
    log_result("test_accuracy", accuracy)         # one final number for `herd res`

`herd init --python` wrote this file; change it if you like, nothing overwrites it unasked.
The formats are those of the `hyperherd` package, whose own `log_result` works here too.
"""

import json
import os
import re
import socket
import sys
import time
import uuid

__all__ = [
    "TrialPruned",
    "assert_writable",
    "is_rank_zero",
    "log_result",
    "parse_overrides",
    "should_stop",
]


class TrialPruned(Exception):
    """herd asks this trial to stop: save a checkpoint, then exit with code 0.

    `action` is "prune" (it will not go on) or "pause" (it may go on later from its
    checkpoint); `index` is the trial's index.
    """

    def __init__(self, action, index):
        # Both arguments go to the base class so that the exception survives pickling.
        super(TrialPruned, self).__init__(action, index)
        self.action = action
        self.index = index

    def __str__(self):
        return "herd asks trial %s to stop (%s)" % (self.index, self.action)


def log_result(name, value, step=None, *, strict=True, all_ranks=False):
    """Logs one number of this trial.

    Without `step` it is a final result: `.hyperherd/results/<index>.json`, the last value
    of a name counts. With `step` it is one point of a curve, appended to
    `.hyperherd/results/<index>/stream/<name>.jsonl`; slashes in the name become folders.
    NaN and infinity are logged as such: halving wants to see that a trial diverged.

    Raises TrialPruned after a point of a curve was written when herd asks the trial to
    stop. Final results never raise it.

    strict=True raises RuntimeError where the number would be lost: outside a trial, or
    in a container that does not show the workspace. strict=False makes that a no-op and a
    failed write a line on standard error.

    In a distributed run only rank 0 logs (and only rank 0 can get TrialPruned: tell the
    other ranks yourself before they wait for it). all_ranks=True lets every rank log.
    """
    if not (all_ranks or is_rank_zero()):
        return
    trial = _trial(strict)
    if trial is None:
        return
    try:
        if step is None:
            _write_final(trial, name, value)
        else:
            _append_point(trial, name, value, step)
    except OSError as error:
        if strict:
            raise
        sys.stderr.write("herd_results: cannot log %r: %s\n" % (name, error))
    if step is not None:
        action = trial.signal()
        if action is not None:
            raise TrialPruned(action, trial.index)


def should_stop(index=None):
    """What herd asks of this trial: "prune", "pause" or None. Reads one small file.

    For loops that log rarely, and for rank 0 of a distributed run, which must tell the
    other ranks. Outside a trial the answer is None.
    """
    workspace = os.environ.get("HYPERHERD_WORKSPACE")
    trial = os.environ.get("HYPERHERD_TRIAL_ID") if index is None else str(index)
    if not workspace or not trial or not trial.isdigit():
        return None
    return _Trial(workspace, trial).signal()


def assert_writable():
    """Fails now, not after hours: raises RuntimeError unless results can be written.

    Call it once when training starts. It writes and removes a small file.
    """
    trial = _trial(True)
    probe = os.path.join(trial.folder, "_probe.%s" % uuid.uuid4().hex)
    try:
        os.makedirs(trial.folder, exist_ok=True)
        with open(probe, "w") as file:
            file.write("herd\n")
        os.unlink(probe)
    except OSError as error:
        raise RuntimeError(
            'Cannot log results: "%s" is not writable here (%s); inside a container, mount '
            "the workspace for writing" % (trial.folder, error.strerror or error)
        )


def is_rank_zero():
    """True unless this process is a further rank of a distributed run."""
    pairs = (
        ("RANK", "WORLD_SIZE"),
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        ("PMI_RANK", "PMI_SIZE"),
        ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    )
    for rank, size in pairs:
        if os.environ.get(rank, "").isdigit() and os.environ.get(size, "1") != "1":
            return int(os.environ[rank]) == 0
    return True


# --- overrides ----------------------------------------------------------------------------


def parse_overrides(argv=None):
    """The trial's overrides as a dict: {"experiment_name": "lr-0.1", "lr": 0.1, ...}.

    Without an argument it reads the command line, in any of the ways a launcher may call:
    `train.py "${@:2}"` (one override per argument: exact), `train.py "$1"` (all in one
    string: split at white space; quotes around a value hold it together) or `train.py "$@"`
    (the string alone, or both where the launcher holds "@:2"; the exact ones win). Give a
    string or a list of arguments to parse those instead.

    Values: null/None, true/false, numbers, [lists] and {maps} (JSON or Hydra's syntax) become
    Python values, all else is text. Numbers with leading zeros (007) and `experiment_name`
    stay text. The last of two equal names counts; arguments without `=` are left alone, so
    other flags may stand beside the overrides.
    """
    if argv is None:
        if len(sys.argv) < 2:
            raise RuntimeError(
                "Cannot read the overrides: no argument was given; let the launcher pass them on: "
                'python train.py "${@:2}"'
            )
        # In the C locale older Pythons take UTF-8 arguments apart; this puts them together again.
        argv = [os.fsencode(each).decode("utf-8", "surrogateescape") for each in sys.argv[1:]]
    tokens = _split(argv) if isinstance(argv, str) else _tokens(list(argv))
    overrides = {}
    for token in tokens:
        name, equals, text = token.partition("=")
        if name and equals:
            overrides[name] = text if name == "experiment_name" else _value(text)
    return overrides


# White space inside quotes does not split, where the quotes begin a value or an element.
_TOKEN = re.compile(r"""(?:(?<=[=,:\[{])(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|\S)+""", re.S)
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_HELD = re.compile(r"""\A([^=]+=)(['"])(?=.*\s)(.*)\2\Z""", re.S)
_WORDS = {"null": None, "None": None, "true": True, "false": False}
# What Hydra lets a backslash protect outside of quotes.
_SPECIAL = "\\()[]{}:=, \t"


def _split(text):
    # Quotes go only where they were needed; elsewhere they are part of the text.
    return [_HELD.sub(r"\1\3", token) for token in _TOKEN.findall(text)]


def _tokens(arguments):
    """One override per element, whichever way the launcher passed them."""
    if len(arguments) == 1:
        return _split(arguments[0])
    tokens = []
    for at, argument in enumerate(arguments):
        # An experiment name holds no white space: this is the string of all overrides.
        if argument.startswith("experiment_name=") and len(argument.split()) > 1:
            if argument.split()[0] not in arguments[at + 1 :]:
                tokens.extend(_split(argument))
        else:
            tokens.append(argument)
    return tokens


def _value(text):
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
        try:
            value, end = _element(text, 0, "")
            if end == len(text):
                return value
        except (ValueError, RecursionError):
            pass
        return text
    return _scalar(text)


def _scalar(text):
    if text in _WORDS:
        return _WORDS[text]
    try:
        if _INTEGER.match(text):
            return int(text)
        if _NUMBER.match(text) or text.lower() in ("nan", "inf", "+inf", "-inf"):
            return float(text)
    except ValueError:  # more digits than this Python reads
        pass
    return text


def _element(text, at, stops):
    """Hydra's way of writing values: [a,'b c',{k:1}]. Returns the value and where it ends."""
    if at >= len(text):
        raise ValueError("unfinished")
    if text[at] == "[":
        return _sequence(text, at + 1)
    if text[at] == "{":
        return _mapping(text, at + 1)
    if text[at] in "'\"":
        return _quoted(text, at)
    word, at = _word(text, at, stops)
    return _scalar(word), at


def _word(text, at, stops):
    out = []
    while at < len(text) and text[at] not in stops:
        if text[at] == "\\" and text[at + 1 : at + 2] and text[at + 1] in _SPECIAL:
            at += 1
        out.append(text[at])
        at += 1
    return "".join(out).strip(), at


def _sequence(text, at):
    values = []
    at = _blank(text, at)
    while text[at : at + 1] != "]":
        value, at = _element(text, at, ",]")
        values.append(value)
        at = _comma(text, at, "]")
    return values, at + 1


def _mapping(text, at):
    values = {}
    at = _blank(text, at)
    while text[at : at + 1] != "}":
        if text[at : at + 1] in ("'", '"'):
            key, at = _quoted(text, at)
            at = _blank(text, at)
        else:
            key, at = _word(text, at, ":,}")
        if text[at : at + 1] != ":":
            raise ValueError("a colon is missing")
        value, at = _element(text, _blank(text, at + 1), ",}")
        values[key] = value
        at = _comma(text, at, "}")
    return values, at + 1


def _comma(text, at, end):
    at = _blank(text, at)
    if text[at : at + 1] == ",":
        return _blank(text, at + 1)
    if text[at : at + 1] != end:
        raise ValueError("a comma is missing")
    return at


def _blank(text, at):
    while text[at : at + 1].isspace():
        at += 1
    return at


def _quoted(text, at):
    quote, out = text[at], []
    at += 1
    while at < len(text) and text[at] != quote:
        end = at
        while text[end : end + 1] == "\\":
            end += 1
        if text[end : end + 1] == quote:
            # Backslashes count only in front of a quote: two make one, an odd one protects it.
            out.append("\\" * ((end - at) // 2))
            if (end - at) % 2 == 0:
                at = end
                break
            end += 1
            out.append(quote)
        else:
            end = max(end, at + 1)
            out.append(text[at:end])
        at = end
    if text[at : at + 1] != quote:
        raise ValueError("the closing quote is missing")
    return "".join(out), at + 1


# --- files --------------------------------------------------------------------------------


class _Trial(object):
    def __init__(self, workspace, index):
        self.workspace = workspace
        self.index = int(index)
        self.results = os.path.join(workspace, ".hyperherd", "results")
        self.folder = os.path.join(self.results, str(self.index))

    def signal(self):
        try:
            with open(os.path.join(self.folder, "_signal")) as file:
                word = file.read(64).strip()
        except (OSError, UnicodeDecodeError):
            return None
        return word if word in ("prune", "pause") else None


# Workspaces that passed the strict check: each look costs calls on a shared file system.
_checked = set()


def _trial(strict):
    """This process's trial; None, or RuntimeError when strict, where there is none."""
    workspace = os.environ.get("HYPERHERD_WORKSPACE")
    index = os.environ.get("HYPERHERD_TRIAL_ID")
    problem = None
    if not workspace:
        problem = "HYPERHERD_WORKSPACE is not set: this is not a trial of herd"
    elif not index:
        problem = "HYPERHERD_TRIAL_ID is not set: this is not a trial of herd"
    elif not re.match(r"[0-9]+\Z", index):
        problem = 'HYPERHERD_TRIAL_ID is "%s": a whole number is wanted' % index
    elif strict and workspace not in _checked:
        problem = _unseen(workspace)
        if problem is None:
            _checked.add(workspace)
    if problem is None:
        return _Trial(workspace, index)
    if strict:
        raise RuntimeError("Cannot log results: " + problem + " (strict=False makes this a no-op)")
    return None


def _unseen(workspace):
    # The manifest was there before the job began: a workspace without it is another folder
    # of the same name, and what is written there vanishes with the container.
    if not os.path.isdir(workspace):
        return (
            'the workspace "{0}" is not visible here; inside a container, bind it: '
            "apptainer exec --bind {0}:{0} ... or docker run -v {0}:{0} ..."
        ).format(workspace)
    if not os.path.isfile(os.path.join(workspace, ".hyperherd", "manifest.json")):
        return (
            'the workspace "{0}" is visible but its .hyperherd/manifest.json is not; inside a '
            "container, bind the whole workspace and not a part of it: --bind {0}:{0}"
        ).format(workspace)
    return None


def _append_point(trial, name, value, step):
    # Bytes, because Python 3.6 in the C locale has no way to name a file "größe".
    parts = [part.encode("utf-8", "surrogateescape") for part in _metric_parts(name)]
    path = os.path.join(os.fsencode(trial.folder), b"stream", *parts) + b".jsonl"
    record = {"step": int(step), "value": value, "ts": time.time()}
    line = (json.dumps(record, default=_plain) + "\n").encode("utf-8")
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    try:
        file = os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = os.open(path, flags, 0o666)
    try:
        size = os.fstat(file).st_size
        # A killed predecessor may have left half a line; do not glue a whole one to it.
        if size > 0 and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line
        while line:
            line = line[os.write(file, line) :]
    finally:
        os.close(file)


def _metric_parts(name):
    _check_name(name)
    if name.startswith("/") or name.endswith("/") or ".." in name.replace("\\", "/").split("/"):
        raise ValueError(
            'Cannot log metric %r: a relative name without ".." such as val/loss is wanted' % name
        )
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts:
        raise ValueError("Cannot log metric %r: it names no file" % name)
    return parts


def _check_name(name):
    if not isinstance(name, str) or not name.strip() or re.search(r"[\x00-\x1f\x7f-\x9f]", name):
        raise ValueError(
            "Cannot log metric %r: a name is text, not empty, without control characters" % (name,)
        )


def _write_final(trial, name, value):
    _check_name(name)
    value = json.loads(json.dumps(value, default=_plain))
    path = os.path.join(trial.results, "%d.json" % trial.index)
    temporary = os.path.join(trial.folder, "_results.%s.tmp" % uuid.uuid4().hex)
    os.makedirs(trial.folder, exist_ok=True)
    while True:
        with _Lock(os.path.join(trial.folder, "_lock"), "log_result %s" % name) as lock:
            values = _read_final(path)
            values[name] = value
            try:
                with open(temporary, "w") as file:
                    json.dump(values, file, indent=2)
                    file.flush()
                    os.fsync(file.fileno())
                if lock.held():
                    os.rename(temporary, path)
                    return
            finally:
                _unlink(temporary)


def _read_final(path):
    for _ in range(20):
        try:
            with open(path, encoding="utf-8") as file:
                values = json.load(file)
            if isinstance(values, dict):
                return values
        except FileNotFoundError:
            return {}
        except ValueError:  # torn, or another library writes in place at this moment
            pass
        time.sleep(0.05)
    aside = "%s.torn-%d" % (path, time.time())
    os.rename(path, aside)
    sys.stderr.write("herd_results: %s was damaged; it is kept as %s\n" % (path, aside))
    return {}


def _plain(value):
    """Numbers of NumPy, PyTorch, JAX and their like, as JSON has them."""
    for method in ("item", "tolist"):
        try:
            return getattr(value, method)()
        except (AttributeError, TypeError, ValueError, RuntimeError):
            continue
    raise TypeError("Cannot log a %s: a number, text, list or dict is wanted" % type(value).__name__)


def _unlink(path):
    try:
        os.unlink(path)
    except OSError:
        pass


class _Lock(object):
    """Lets one process at a time change a file, on file systems whose locks cannot be trusted.

    The lock is the highest number N of which `lease.N` exists in the folder; the highest is
    never removed, only followed. Whoever creates N+1, which is exclusive on NFS, Lustre and
    GPFS, and then sees nothing higher, has it. `herd log` takes the same lock the same way.
    A holder that was killed is noticed at once on its own machine, by silence from elsewhere.
    """

    STALE = 90.0  # seconds; an NFS client may show an old state for up to 60
    UNREADABLE = 5.0
    PATIENCE = 120.0

    def __init__(self, folder, purpose):
        self.folder = folder
        self.number = None
        self.seen = None
        self.since = 0.0
        self.holder = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "boot": _read_text("/proc/sys/kernel/random/boot_id").strip() or "unknown",
            "start": _process_start(os.getpid()) or "unknown",
            "space": _pid_space(),
            "purpose": purpose,
            "at": int(time.time() * 1000),
            "nonce": uuid.uuid4().hex,
            "beat": 0,
        }

    def __enter__(self):
        os.makedirs(self.folder, 0o700, exist_ok=True)
        began = time.monotonic()
        while not self._try():
            if time.monotonic() - began > self.PATIENCE:
                sys.stderr.write("herd_results: no lock in %s; writing without it\n" % self.folder)
                break
            # Not `random`: the trainer's seeded numbers are not ours to draw from.
            time.sleep(0.002 + os.urandom(1)[0] / 10000.0)
        return self

    def __exit__(self, *_):
        if self.number is None or not self.held():
            return
        temporary = os.path.join(self.folder, "keep.%s.tmp" % self.holder["nonce"])
        try:
            self._write(temporary, dict(self.holder, released=True))
            os.rename(temporary, self._path(self.number))
        except OSError:
            _unlink(temporary)
            try:  # a full disk: an empty file is taken for free soon, a whole one is not
                os.truncate(self._path(self.number), 0)
            except OSError:
                pass

    def held(self):
        """Whether the lock is still ours, to be asked just before each write."""
        if self.number is None:
            return True
        return self._highest() == self.number and self.holder["nonce"] in self._read(self.number)

    def _try(self):
        number = self._highest()
        if number > 0 and not self._is_free(number):
            return False
        return self._take(number + 1)

    def _is_free(self, number):
        text = self._read(number)
        now = time.monotonic()
        if (number, text) != self.seen:
            self.seen, self.since = (number, text), now
        unchanged = now - self.since
        try:
            holder = json.loads(text)
            alive = self._is_alive(holder["host"], holder["pid"], holder)
        except (ValueError, KeyError, TypeError):
            return unchanged >= self.UNREADABLE
        if holder.get("released"):
            return True
        return unchanged >= self.STALE if alive is None else not alive

    def _is_alive(self, host, pid, holder):
        """None where it is not for us to see."""
        mine = self.holder
        if host != mine["host"] or "unknown" in (mine["boot"], mine["start"]):
            return None
        if holder.get("boot") != mine["boot"]:
            return False
        if holder.get("space") != mine["space"]:
            return None
        return _process_start(pid) == holder.get("start")

    def _take(self, number):
        temporary = os.path.join(self.folder, "take.%s.tmp" % self.holder["nonce"])
        try:
            self._write(temporary, self.holder)
            try:
                os.link(temporary, self._path(number))
            except FileExistsError:
                # NFS repeats a request whose answer was lost: then it exists because of us.
                if self.holder["nonce"] not in self._read(number):
                    return False
            except OSError:  # no hard links here
                try:
                    self._write(self._path(number), self.holder)
                except FileExistsError:
                    return False
        finally:
            _unlink(temporary)
        # Twice: a listing that runs while names come and go may miss one.
        if self._highest() > number or self._highest() > number:
            _unlink(self._path(number))
            return False
        for lower in self._numbers():
            if lower < number:
                _unlink(self._path(lower))
        self.number = number
        return True

    def _write(self, path, holder):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, json.dumps(holder).encode("utf-8"))
        finally:
            os.close(file)

    def _numbers(self):
        found = [re.match(r"lease\.([0-9]{1,15})\Z", name) for name in os.listdir(self.folder)]
        return [int(match.group(1)) for match in found if match]

    def _highest(self):
        return max(self._numbers() or [0])

    def _path(self, number):
        return os.path.join(self.folder, "lease.%d" % number)

    def _read(self, number):
        return _read_text(self._path(number))


def _process_start(pid):
    """When a process started, in ticks since boot; None for none. A pid alone is used again."""
    fields = _read_text("/proc/%d/stat" % pid).rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else None


def _pid_space():
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
